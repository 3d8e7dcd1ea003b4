// Where things are.
import { fileURLToPath } from "node:url";

const inRepository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The program under test. */
export const BINARY = process.env.SLUICE_BIN ?? inRepository("target/debug/sluice");
/** What `npm run build` made. */
export const DIST = inRepository("studio/dist");
export const STUDIO = inRepository("studio");
/** Where pictures of the pages go, with SLUICE_SCREENSHOTS=1. */
export const SCREENSHOTS = inRepository("docs/screenshots");
export const CHROMIUM = process.env.SLUICE_CHROMIUM ?? "/usr/bin/chromium";
