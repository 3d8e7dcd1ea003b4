// Connecting without a pointer: an output of the chosen node, and the input that it shall lead to. What cannot be is shown
// with its reason and cannot be chosen.
import { useState } from "react";

import { portsOfNode } from "../../graph/catalogue";
import { canConnect } from "../../graph/connect";
import { nameOf, nodeById, type Endpoint } from "../../graph/document";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Select } from "../../ui/Input";
import { connectPorts, freeOutput } from "../commands";
import { useBuilder, useBuilderState, useDocument } from "../context";

type Target = { to: Endpoint; text: string; reason: string | null };

export function ConnectDialog({ node, onClose }: { node: string; onClose: () => void }) {
  const builder = useBuilder();
  const document = useDocument();
  const catalogue = useBuilderState((state) => state.catalogue);
  const [port, setPort] = useState(() => freeOutput(builder, node)?.port ?? "main");
  const [chosen, setChosen] = useState("");
  const source = nodeById(document, node);
  if (!source) return null;
  const from = { node, port };
  const targets = document.nodes.flatMap((target): Target[] => {
    const inputs = portsOfNode(catalogue, target)?.inputs ?? [];
    return inputs.map((input) => {
      const to = { node: target.id, port: input.name };
      const verdict = canConnect(document, catalogue, from, to);
      const text = inputs.length > 1 ? `${nameOf(target)} · ${input.name}` : nameOf(target);
      return { to, text, reason: verdict.ok ? null : verdict.reason };
    });
  });
  const possible = targets.filter((target) => target.reason === null);
  const target = possible.find(({ to }) => `${to.node}.${to.port}` === chosen) ?? possible[0];
  const connect = () => {
    if (target) connectPorts(builder, from, target.to);
    onClose();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Connect “${nameOf(source)}”`}
      width="small"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={!target} onClick={connect}>
            Connect
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          connect();
        }}
      >
        <Field label="From its output">
          {(ids) => (
            <Select {...ids} value={port} onChange={(event) => setPort(event.target.value)}>
              {portsOfNode(catalogue, source)?.outputs.map((output) => (
                <option key={output.name} value={output.name}>
                  {output.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="To">
          {(ids) => (
            <Select
              {...ids}
              value={target ? `${target.to.node}.${target.to.port}` : ""}
              onChange={(event) => setChosen(event.target.value)}
            >
              {targets.map(({ to, text, reason }) => (
                <option
                  key={`${to.node}.${to.port}`}
                  value={`${to.node}.${to.port}`}
                  disabled={reason !== null}
                >
                  {reason === null ? text : `${text}: ${reason}`}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}
