// Giving the focus to a node that may only now come into sight: what is not seen is not drawn. Must not know why.

/** After this long a node that is not there is not coming, milliseconds. */
const PATIENCE = 1_500;

/** Gives the focus to a node as soon as it is drawn, unless the focus goes elsewhere meanwhile. */
export function focusNode(id: string): void {
  const begin = performance.now();
  const holder = document.activeElement;
  const attempt = () => {
    if (document.activeElement !== holder && document.activeElement !== document.body) return;
    const node = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    if (node) node.focus();
    else if (performance.now() - begin < PATIENCE) requestAnimationFrame(attempt);
  };
  requestAnimationFrame(attempt);
}
