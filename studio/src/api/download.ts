// Answers of the API as files, and files as text. Must not know what is in them.
import { errorOf, send } from "./client";

/** Saves an answer as a file, byte for byte. */
export async function download(path: string, name: string): Promise<void> {
  const answer = await send(new Request(new URL(path, location.origin)));
  if (!answer.ok) throw await errorOf(answer);
  save(await answer.blob(), name);
}

export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the address a moment later.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A name that every file system takes. */
export const fileName = (name: string, ending: string) =>
  `${
    name
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "") || "workflow"
  }.${ending}`;
