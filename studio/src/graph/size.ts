// How large a node is drawn. Known without measuring, so that layout works for nodes that are not on the screen. Must
// not know React.
import type { Ports } from "./catalogue";
import { ERROR, type Position } from "./document";
import type { Size } from "./annotations";

export const NODE_WIDTH = 208;
const HEAD = 52;
const ROW = 20;
const FOOT = 8;

/** Ports are listed below the head, unless each side has only the usual one. */
export function rowsOf(ports: Ports | null, usesError: boolean): number {
  if (!ports) return 0;
  const outputs = ports.outputs.filter((port) => port.name !== ERROR || usesError).length;
  const rows = Math.max(outputs, ports.inputs.length);
  return rows > 1 ? rows : 0;
}

export function sizeOf(ports: Ports | null, usesError: boolean): Size {
  const rows = rowsOf(ports, usesError);
  return { width: NODE_WIDTH, height: HEAD + (rows ? rows * ROW + FOOT : 0) };
}

export const portTop = (row: number, rows: number) => (rows ? HEAD + ROW * row + ROW / 2 : HEAD / 2);

/** The next place to the right of a node. */
export const beside = (position: Position): Position => ({ x: position.x + NODE_WIDTH + 72, y: position.y });
