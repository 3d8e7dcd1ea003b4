// Running the draft: with which trigger and event, with or without effects outside, and how it stands.
import { ChevronDown, Play, RotateCcw, ShieldOff, Square } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { api } from "../../api/client";
import { useMay } from "../../session/session";
import { nameOf } from "../../graph/document";
import { StatusBadge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../ui/Menu";
import { toast } from "../../ui/Toast";
import { useBuilder, useBuilderState } from "../context";
import { EffectsQuestion } from "./EffectsQuestion";
import { RunDialog } from "./RunDialog";
import { useRunActions } from "./useRunActions";

export function RunBar() {
  const mayRun = useMay()("workflow:run");
  const live = useBuilderState((state) => state.live);
  return (
    <div className="flex items-center gap-1">
      {live?.id && (
        <Link to={`/runs/${live.id}`} className="mr-1" aria-label={`The run: ${live.status}`}>
          <StatusBadge status={live.status} />
        </Link>
      )}
      {mayRun && <RunButtons />}
    </div>
  );
}

function RunButtons() {
  const builder = useBuilder();
  const live = useBuilderState((state) => state.live);
  const isReal = useBuilderState((state) => state.isReal);
  const run = useBuilderState((state) => state.run);
  const actions = useRunActions();
  const [asking, setAsking] = useState<"event" | "effects" | null>(null);
  const isUnderWay = live !== null && ["starting", "running", "waiting"].includes(live.status);
  const cancel = async () => {
    if (!live?.id) return;
    await api.POST("/api/runs/{id}/cancel", { params: { path: { id: live.id } } }).catch(toast.error);
  };
  return (
    <>
      {isReal && (
        <span className="flex items-center gap-1 rounded bg-bad/10 px-1.5 py-0.5 text-xs font-medium text-bad">
          <ShieldOff size={13} aria-hidden /> Real effects
        </span>
      )}
      {isUnderWay && live.id ? (
        <Button size="small" icon={<Square size={12} aria-hidden />} onClick={() => void cancel()}>
          Cancel
        </Button>
      ) : (
        <Button
          size="small"
          busy={live?.status === "starting"}
          icon={<Play size={13} aria-hidden />}
          onClick={() => void actions.run()}
        >
          Run
        </Button>
      )}
      <Menu
        trigger={
          <IconButton label="How to run" size="small">
            <ChevronDown size={14} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => setAsking("event")}>Run with an event…</MenuItem>
        {run?.status === "failed" && (
          <MenuItem icon={<RotateCcw size={14} aria-hidden />} onSelect={() => void actions.retry()}>
            Retry from the failed node
          </MenuItem>
        )}
        <MenuLine />
        <MenuLabel>Begin with</MenuLabel>
        {actions.triggers().map((trigger) => (
          <MenuItem key={trigger.id} onSelect={() => void actions.run(trigger)}>
            {nameOf(trigger)}
          </MenuItem>
        ))}
        <MenuLine />
        <MenuItem
          isDangerous={!isReal}
          onSelect={() => (isReal ? builder.setState({ isReal: false }) : setAsking("effects"))}
        >
          {isReal ? "Back to runs without effects" : "Switch real effects on…"}
        </MenuItem>
      </Menu>
      {asking === "event" && <RunDialog onClose={() => setAsking(null)} />}
      <EffectsQuestion isOpen={asking === "effects"} onClose={() => setAsking(null)} />
    </>
  );
}
