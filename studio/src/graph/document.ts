// The workflow document as the server keeps it: the names of its parts, and how edge ends are written. Must not know the
// canvas, node types, or React.
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type WorkflowDocument = Schemas["WorkflowDocument"];
export type NodeDoc = WorkflowDocument["nodes"][number];
export type EdgeDoc = WorkflowDocument["edges"][number];
export type NodeSettings = NonNullable<NodeDoc["settings"]>;
export type WorkflowSettings = NonNullable<WorkflowDocument["settings"]>;
export type Problem = Schemas["Problem"];
export type Position = { x: number; y: number };

/** One end of an edge. */
export type Endpoint = { node: string; port: string };

/** The port that is meant when none is written. */
export const MAIN = "main";
/** The port that every node has besides its own. */
export const ERROR = "error";

/** Reads `node` or `node.port`. */
export function endpoint(text: string): Endpoint {
  const dot = text.indexOf(".");
  return dot < 0 ? { node: text, port: MAIN } : { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

/** Writes `node`, or `node.port` when the port is not the usual one. */
export const endpointText = ({ node, port }: Endpoint) => (port === MAIN ? node : `${node}.${port}`);

/** What tells an edge from all others, however its ends are written. */
export function edgeKey(edge: EdgeDoc): string {
  const from = endpoint(edge.from);
  const to = endpoint(edge.to);
  return `${from.node}.${from.port}→${to.node}.${to.port}`;
}

/** Documents from files may leave the edges out. */
export const edgesOf = (document: WorkflowDocument): EdgeDoc[] => document.edges ?? [];

export const nodeById = (document: WorkflowDocument, id: string) =>
  document.nodes.find((node) => node.id === id);

/** What people call a node. */
export const nameOf = (node: NodeDoc) => node.label?.trim() || node.id;

/** An empty workflow. */
export const emptyDocument = (name: string): WorkflowDocument => ({ sluice: 1, name, nodes: [], edges: [] });
