// The served catalogue of node types, ready to be asked: types by name, ports under given parameters, groups for the
// palette. Must not know any type by name.
import type { components } from "../api/schema";
import { ERROR, type NodeDoc } from "./document";
import { at } from "./pointer";

export type NodeType = components["schemas"]["NodeTypeView"];
export type Port = { name: string; help: string };
export type Ports = { inputs: Port[]; outputs: Port[] };

/** Asked hundreds of times per frame, so everything is found by name. */
export type Catalogue = { types: NodeType[]; byType: Map<string, NodeType> };

type FromParam = { pointer: string; field?: string | null } | null | undefined;
type PortsView = { fixed: Port[]; from_param?: unknown };

export function catalogueOf(types: NodeType[]): Catalogue {
  return { types, byType: new Map(types.map((type) => [type.type, type])) };
}

/** The ports of one side: those that a list parameter names first, then the fixed ones. */
function portsOf(side: PortsView, params: unknown): Port[] {
  const from = side.from_param as FromParam;
  if (!from) return side.fixed;
  const list = at(params, from.pointer);
  const listed: Port[] = [];
  for (const element of Array.isArray(list) ? list : []) {
    const name: unknown = from.field ? (element as Record<string, unknown> | null)?.[from.field] : element;
    if (typeof name === "string" && name) listed.push({ name, help: "" });
  }
  return [...listed, ...side.fixed];
}

const errorPort: Port = { name: ERROR, help: "What failed, when failures are routed" };

/** All ports of a node. A node of an unknown type has none that could be judged. */
export function portsOfNode(catalogue: Catalogue, node: Pick<NodeDoc, "type" | "params">): Ports | null {
  const type = catalogue.byType.get(node.type);
  if (!type) return null;
  const outputs = portsOf(type.outputs, node.params);
  return {
    inputs: portsOf(type.inputs, node.params),
    outputs: outputs.some((port) => port.name === ERROR) ? outputs : [...outputs, errorPort],
  };
}

export const isTrigger = (type: NodeType | undefined) => Boolean(type?.trigger);

/** The part of a type's name before the dot: the service it belongs to. */
export const serviceOf = (type: string) => type.split(".", 1)[0] ?? type;

export type Group = { service: string; title: string; types: NodeType[] };

/** Types by service, triggers first; `query` narrows them down, and then the best fit comes first. */
export function paletteGroups(catalogue: Catalogue, query: string): Group[] {
  const wanted = query.toLowerCase().trim();
  const words = wanted.split(/\s+/).filter(Boolean);
  const groups = new Map<string, Group>();
  for (const type of catalogue.types) {
    if (!words.every((word) => textOf(type).includes(word))) continue;
    const service = serviceOf(type.type);
    const group = groups.get(service) ?? { service, title: titleCase(service), types: [] };
    group.types.push(type);
    groups.set(service, group);
  }
  const found = [...groups.values()];
  if (wanted) {
    for (const group of found) group.types.sort((a, b) => fit(a, wanted) - fit(b, wanted));
    const best = (group: Group) => Math.min(...group.types.map((type) => fit(type, wanted)));
    return found.sort((a, b) => best(a) - best(b));
  }
  const first = (group: Group) => (group.types.every(isTrigger) ? 0 : 1);
  return found.sort((a, b) => first(a) - first(b) || a.title.localeCompare(b.title));
}

const textOf = (type: NodeType) => `${type.title} ${type.type} ${type.summary}`.toLowerCase();

/** How well a type fits what is searched: by its whole title, the beginning of it, a part of it, or its summary. */
function fit(type: NodeType, wanted: string): number {
  const title = type.title.toLowerCase();
  if (title === wanted) return 0;
  if (title.startsWith(wanted)) return 1;
  return wanted.split(/\s+/).every((word) => title.includes(word)) ? 2 : 3;
}

/** `wait_reply` becomes `Wait reply`. */
export function titleCase(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a node of this type begins with: the parameters that the schema requires and gives a value for. */
export function initialParams(type: NodeType): Record<string, unknown> {
  const schema = type.params_schema as { oneOf?: Record<string, unknown>[] };
  const shape = (schema.oneOf?.[0] ?? schema) as {
    properties?: Record<
      string,
      { const?: unknown; default?: unknown; type?: unknown; oneOf?: { const?: unknown }[] }
    >;
    required?: string[];
  };
  const params: Record<string, unknown> = {};
  for (const name of shape.required ?? []) {
    const field = shape.properties?.[name];
    const value = field?.const ?? field?.default ?? field?.oneOf?.[0]?.const;
    if (value !== undefined && value !== null) params[name] = value;
  }
  return params;
}
