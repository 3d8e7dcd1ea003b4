// What is dragged from the palette to the canvas: the name of a node type.
export const PALETTE_TYPE = "application/x-sluice-node-type";
