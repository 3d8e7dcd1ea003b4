// What a type of node looks like: it follows from what the type does. Must not know any type by name.
import { Box, CircleAlert, Database, Repeat2, Send, Split, Zap } from "lucide-react";

import type { NodeType } from "../../graph/catalogue";

/** Icon and its ground; `box` is the whole node seen from far away. */
export function lookOf(type: NodeType | undefined) {
  if (!type) return { icon: CircleAlert, tint: "bg-bad/10 text-bad", box: "bg-bad/40 border-bad" };
  if (type.trigger) return { icon: Zap, tint: "bg-warn/15 text-warn", box: "bg-warn/50 border-warn" };
  if (type.loop_entry)
    return { icon: Repeat2, tint: "bg-busy/10 text-busy", box: "bg-busy/35 border-busy/60" };
  if (type.effect === "once")
    return { icon: Send, tint: "bg-accent/10 text-accent", box: "bg-accent/40 border-accent/60" };
  if (type.effect === "idempotent")
    return { icon: Database, tint: "bg-accent/10 text-accent", box: "bg-accent/40 border-accent/60" };
  const outputs = type.outputs.fixed.length + (type.outputs.from_param ? 1 : 0);
  if (outputs > 1) return { icon: Split, tint: "bg-busy/10 text-busy", box: "bg-busy/35 border-busy/60" };
  return { icon: Box, tint: "bg-raised text-muted", box: "bg-muted/30 border-muted/50" };
}
