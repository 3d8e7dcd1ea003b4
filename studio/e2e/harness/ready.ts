// Before all: says what is missing, in place of a hundred tests that fail for the same reason.
import { existsSync } from "node:fs";

import { BINARY, CHROMIUM, DIST } from "./paths.ts";

export default function setup() {
  const needs = [
    [BINARY, "build it with `cargo build`, or set SLUICE_BIN"],
    [`${DIST}/index.html`, "build it with `npm run build`"],
    [CHROMIUM, "install chromium, or set SLUICE_CHROMIUM"],
  ] as const;
  const missing = needs
    .filter(([path]) => !existsSync(path))
    .map(([path, help]) => `${path} is missing: ${help}`);
  if (missing.length > 0) throw new Error(missing.join("\n"));
}
