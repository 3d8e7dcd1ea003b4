// Small words of the language. Must not know pages.

/** Such as "1 item" and "3 items". */
export const counted = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
