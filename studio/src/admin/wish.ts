// Names of wishes to move credits: a repetition of the same wish moves nothing again, another wish needs another name. Must
// not know what is moved.

export type Wish = { name: string; says: string };

function freshName(): string {
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return `studio-${[...parts].map((part) => part.toString(36)).join("")}`;
}

/** The wish that says this: the one before when it said the same, otherwise a new one. */
export function wishFor(content: unknown, before: Wish | null): Wish {
  const says = JSON.stringify(content);
  return before?.says === says ? before : { name: freshName(), says };
}
