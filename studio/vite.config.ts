/// <reference types="vitest/config" />
// How the studio is built: into `dist/`, which the server embeds (see `studio/lib.rs`). File names carry a hash of their
// content, so that browsers may keep them for ever; only `index.html` is asked for again.
import react from "@vitejs/plugin-react";
import tailwindcss from "@tailwindcss/vite";
import { fileURLToPath } from "node:url";
import { defineConfig, type ProxyOptions } from "vite";

// `npm run dev` talks to a server started beside it.
const server = process.env.SLUICE_SERVER ?? "http://127.0.0.1:8080";
const proxied = ["/api", "/hooks", "^/approvals/.", "^/sign-ups/.", "/healthz", "/readyz"];

const proxy: ProxyOptions = {
  target: server,
  configure: (between) =>
    // A stream must begin before its first event, and break off when the server goes: the page waits for both.
    between.on("proxyRes", (answer, _, response) => {
      queueMicrotask(() => response.flushHeaders());
      answer.once("close", () => answer.complete || response.destroy());
    }),
};

// `@rjsf/core` imports this for its own tests. It compiles schemas with `eval`, which the server's policy forbids.
const ours = fileURLToPath(new URL("src/ui/form/ajv.ts", import.meta.url));

export default defineConfig({
  resolve: { alias: { "@rjsf/validator-ajv8": ours } },
  plugins: [react(), tailwindcss()],
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 1200 },
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, proxy])) },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test-setup.ts"] },
});
