// How large a node is drawn. Known without measuring, so that layout works for nodes that are not on the screen. Must
// not know React.
import type { Ports } from "./catalogue";
import { ERROR, type Position } from "./document";
import type { Size } from "./annotations";

export const NODE_WIDTH = 208;
const HEAD = 52;
const ROW = 20;
const FOOT = 8;

/** The outputs that are listed; the one for failures has its own place below. */
export const listedOutputs = (ports: Ports) => ports.outputs.filter((port) => port.name !== ERROR);

/** Ports are listed below the head, unless each side has only the usual one. */
export function rowsOf(ports: Ports | null): number {
  if (!ports) return 0;
  const rows = Math.max(listedOutputs(ports).length, ports.inputs.length);
  return rows > 1 ? rows : 0;
}

export function sizeOf(ports: Ports | null): Size {
  const rows = rowsOf(ports);
  return { width: NODE_WIDTH, height: HEAD + (rows ? rows * ROW + FOOT : 0) };
}

export const portTop = (row: number, rows: number) => (rows ? HEAD + ROW * row + ROW / 2 : HEAD / 2);

const PORT = 10;
export type PortBox = {
  id: string;
  type: "source" | "target";
  side: "left" | "right" | "bottom";
  x: number;
  y: number;
  width: number;
  height: number;
};

/** Where the dots of the ports are, counted from the node's corner: inputs left, outputs right, failures below. */
export function portBoxes(ports: Ports | null): PortBox[] {
  if (!ports) return [];
  const rows = rowsOf(ports);
  const { width, height } = sizeOf(ports);
  const dot = (x: number, y: number) => ({ x: x - PORT / 2, y: y - PORT / 2, width: PORT, height: PORT });
  const inputs = ports.inputs.map(
    ({ name }, row) => ({ id: name, type: "target", side: "left", ...dot(0, portTop(row, rows)) }) as const,
  );
  const outputs = listedOutputs(ports).map(
    ({ name }, row) =>
      ({ id: name, type: "source", side: "right", ...dot(width, portTop(row, rows)) }) as const,
  );
  return [...inputs, ...outputs, { id: ERROR, type: "source", side: "bottom", ...dot(width / 2, height) }];
}

/** The next place to the right of a node. */
export const beside = (position: Position): Position => ({ x: position.x + NODE_WIDTH + 72, y: position.y });
