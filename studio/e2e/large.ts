// A large workflow for measuring: chains of nodes side by side, each with a way that branches off.
type Node = { id: string; type: string; label: string; position: { x: number; y: number }; params?: object };

/** `size` nodes in rows behind one trigger. */
export function largeWorkflow(name: string, size: number) {
  const across = 25;
  const nodes: Node[] = [{ id: "begin", type: "trigger.manual", label: "Begin", position: { x: 0, y: 0 } }];
  const edges: { from: string; to: string }[] = [];
  for (let at = 1; at < size; at += 1) {
    const column = (at - 1) % across;
    const row = Math.floor((at - 1) / across);
    const id = `node-${at}`;
    const isBranch = column % 5 === 4;
    nodes.push({
      id,
      type: isBranch ? "flow.if" : "flow.noop",
      label: `Node ${at}`,
      position: { x: 280 * (column + 1), y: 120 * row },
      ...(isBranch && { params: { condition: true } }),
    });
    const before = column === 0 ? "begin" : `node-${at - 1}`;
    const wasBranch = column !== 0 && (column - 1) % 5 === 4;
    edges.push({ from: wasBranch ? `${before}.true` : before, to: id });
  }
  return { sluice: 1, name, nodes, edges };
}
