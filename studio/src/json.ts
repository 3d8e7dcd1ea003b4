// JSON whose whole numbers keep all their digits. The browser's own reading rounds those beyond 2^53 (an order number of
// eighteen digits comes back as another one); here they become big integers. Must not know what is read.
import { isInteger, isSafeNumber, parse, stringify } from "lossless-json";

/** What is short enough is read by the browser, which is much faster; a number that long may also be part of a text. */
const MAY_BE_LONG = /\d{16}/;

export const numberOf = (digits: string): number | bigint =>
  isInteger(digits) && !isSafeNumber(digits) ? BigInt(digits) : Number(digits);

/** Reads JSON; throws when it is none. */
export function parseJson(text: string): unknown {
  // The browser judges what is JSON, also for long numbers: its words about a mistake are the better ones.
  const read: unknown = JSON.parse(text);
  return MAY_BE_LONG.test(text) ? parse(text, null, numberOf) : read;
}

/** The same of what a person chose or pasted; throws in words for them. */
export function pastedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (fault) {
    throw new Error(`This is not JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}

/** Writes JSON; undefined becomes undefined, as the browser has it. */
export function jsonText(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (fault) {
    // The browser writes no big integers.
    if (fault instanceof TypeError) return stringify(value, null, indent) as string;
    throw fault;
  }
}

/** The same value for those who know no big integers and do no more than judge it. */
export function rounded(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, rounded(field)]));
}
