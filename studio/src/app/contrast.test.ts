import { expect, test } from "vitest";

import { contrast, onAccent } from "./contrast";

test("contrast is counted as WCAG does", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
  expect(contrast("#123456", "#123456")).toBe(1);
});

test("whatever the brand's colour, the text on it is read", () => {
  for (let part = 0; part <= 255; part += 5) {
    const two = part.toString(16).padStart(2, "0");
    for (const accent of [
      `#${two}${two}${two}`,
      `#${two}0000`,
      `#00${two}00`,
      `#0000${two}`,
      `#${two}ff${two}`,
    ]) {
      expect(contrast(accent, onAccent(accent))).toBeGreaterThanOrEqual(4.5);
    }
  }
});
