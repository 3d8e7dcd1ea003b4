// The keys of the canvas, in words: the sheet shows them, and the handler acts on them.
export type Binding = { keys: string[]; does: string };

export const sheet: { title: string; bindings: Binding[] }[] = [
  {
    title: "Find the way",
    bindings: [
      { keys: ["Tab"], does: "To the next node" },
      { keys: ["Alt", "→"], does: "Along the edge to what comes next (← back, ↑ ↓ to the node beside)" },
      { keys: ["Enter"], does: "Open the node's parameters" },
      { keys: ["Esc"], does: "Back to the canvas; on the canvas: choose nothing" },
      { keys: ["F"], does: "Show the whole workflow" },
      { keys: ["+", "−"], does: "Zoom" },
    ],
  },
  {
    title: "Change",
    bindings: [
      { keys: ["A"], does: "Add a node; behind the chosen one, when one is chosen" },
      { keys: ["C"], does: "Connect the chosen node" },
      { keys: ["← ↑ → ↓"], does: "Move what is chosen (Shift: further)" },
      { keys: ["Space"], does: "Choose the node, or choose it no more" },
      { keys: ["Ctrl", "A"], does: "Choose everything" },
      { keys: ["Delete"], does: "Delete what is chosen" },
      { keys: ["D"], does: "Disable or enable the chosen nodes" },
      { keys: ["N"], does: "Add a note" },
      { keys: ["G"], does: "Group what is chosen" },
      { keys: ["L"], does: "Lay out what is chosen, or everything" },
    ],
  },
  {
    title: "Keep",
    bindings: [
      { keys: ["Ctrl", "C"], does: "Copy (also between workflows)" },
      { keys: ["Ctrl", "X"], does: "Cut" },
      { keys: ["Ctrl", "V"], does: "Paste" },
      { keys: ["Ctrl", "D"], does: "Duplicate" },
      { keys: ["Ctrl", "Z"], does: "Undo" },
      { keys: ["Ctrl", "Shift", "Z"], does: "Redo" },
      { keys: ["Ctrl", "S"], does: "Save" },
      { keys: ["Ctrl", "Enter"], does: "Run" },
      { keys: ["?"], does: "This sheet" },
    ],
  },
];
