// Which colour is read on which. Must not know where colours come from.

/** How light `#rrggbb` is, from 0 to 1, as WCAG counts it. */
function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The text's colour on a brand's: one of the two is always read well. */
export const onAccent = (accent: string) =>
  contrast(accent, "#ffffff") >= contrast(accent, "#000000") ? "#ffffff" : "#000000";
