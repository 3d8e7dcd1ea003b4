/// <reference types="vitest/config" />
// How the studio is built: into `dist/`, which the server embeds (see `studio/lib.rs`). File names carry a hash of their
// content, so that browsers may keep them for ever; only `index.html` is asked for again.
import react from "@vitejs/plugin-react";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

// `npm run dev` talks to a server started beside it.
const server = process.env.SLUICE_SERVER ?? "http://127.0.0.1:8080";
const proxied = ["/api", "/hooks", "^/approvals/.", "^/sign-ups/.", "/healthz", "/readyz"];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 1200 },
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server }])) },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test-setup.ts"] },
});
