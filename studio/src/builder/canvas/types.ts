// The components that draw the canvas's elements. One object, so that the canvas is not built anew.
import type { EdgeTypes, NodeTypes } from "@xyflow/react";

import { GroupNode, NoteNode } from "./AnnotationNodes";
import { StepNode } from "./StepNode";
import { WayEdge } from "./WayEdge";

export const nodeTypes: NodeTypes = { step: StepNode, note: NoteNode, "group-frame": GroupNode } as NodeTypes;
export const edgeTypes: EdgeTypes = { way: WayEdge } as EdgeTypes;
