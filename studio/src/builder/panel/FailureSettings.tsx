// What happens when a node fails: how long and how often it may try, and where the failure goes.
import type { NodeType } from "../../graph/catalogue";
import type { NodeDoc, NodeSettings } from "../../graph/document";
import { withoutUndefined } from "../../graph/edit";
import { Field } from "../../ui/Field";
import { Input, Select } from "../../ui/Input";
import { useFields } from "./FieldContext";

type Props = {
  node: NodeDoc;
  type: NodeType | undefined;
  onChange: (settings: NodeSettings | undefined) => void;
};
type Retry = NonNullable<NodeSettings["retry"]>;

export function FailureSettings({ node, type, onChange }: Props) {
  const { isReadOnly, problems } = useFields();
  const settings = node.settings ?? {};
  const put = (change: Partial<NodeSettings>) => {
    const next = withoutUndefined({ ...settings, ...change });
    onChange(Object.keys(next).length ? next : undefined);
  };
  const errorAt = (field: string) =>
    problems
      .get(`/settings/${field}`)
      ?.map((one) => one.message)
      .join(" ");
  const seconds = (type?.timeout_ms ?? 30_000) / 1_000;
  return (
    <fieldset disabled={isReadOnly} className="flex flex-col gap-3.5">
      <Field label="When it fails" error={errorAt("on_error")}>
        {(ids) => (
          <Select
            {...ids}
            value={settings.on_error ?? ""}
            onChange={(event) =>
              put({ on_error: (event.target.value || undefined) as NodeSettings["on_error"] })
            }
          >
            <option value="">Usual: the run fails, or follows the edge for failures when there is one</option>
            <option value="fail">The run fails</option>
            <option value="route">It leaves by the output for failures</option>
            <option value="continue">It goes on as if nothing had happened</option>
          </Select>
        )}
      </Field>
      <Field
        label="Time limit of one attempt"
        hint={`Such as 20s or 2m. Usual: ${seconds}s.`}
        error={errorAt("timeout")}
      >
        {(ids) => (
          <Input
            {...ids}
            value={settings.timeout ?? ""}
            onChange={(event) => put({ timeout: event.target.value || undefined })}
          />
        )}
      </Field>
      <RetryFields
        retry={settings.retry ?? undefined}
        onChange={(retry) => put({ retry })}
        errorAt={errorAt}
      />
      {type?.effect === "once" && (
        <Field label="When nobody knows whether it took place" error={errorAt("unknown_outcome")}>
          {(ids) => (
            <Select
              {...ids}
              value={settings.unknown_outcome ?? ""}
              onChange={(event) =>
                put({ unknown_outcome: (event.target.value || undefined) as NodeSettings["unknown_outcome"] })
              }
            >
              <option value="">Usual: a person is asked</option>
              <option value="ask">A person is asked</option>
              <option value="assume_done">It counts as done</option>
              <option value="retry">It is tried again</option>
              <option value="fail">It counts as failed</option>
            </Select>
          )}
        </Field>
      )}
    </fieldset>
  );
}

type RetryProps = {
  retry: Retry | undefined;
  onChange: (retry: Retry | undefined) => void;
  errorAt: (field: string) => string | undefined;
};

function RetryFields({ retry, onChange, errorAt }: RetryProps) {
  const put = (change: Partial<Retry>) =>
    onChange(withoutUndefined({ max_attempts: 3, backoff: "exponential", ...retry, ...change } as Retry));
  return (
    <>
      <Field
        label="Attempts in all"
        hint="Only passing faults are tried again. Empty: what is usual for this type."
        error={errorAt("retry/max_attempts") ?? errorAt("retry")}
      >
        {(ids) => (
          <Input
            {...ids}
            type="number"
            min={1}
            max={100}
            value={retry?.max_attempts ?? ""}
            onChange={(event) =>
              event.target.value === ""
                ? onChange(undefined)
                : put({ max_attempts: Number(event.target.value) })
            }
          />
        )}
      </Field>
      {retry && (
        <div className="grid grid-cols-3 gap-2">
          <Field label="Pauses" error={errorAt("retry/backoff")}>
            {(ids) => (
              <Select
                {...ids}
                value={retry.backoff}
                onChange={(event) => put({ backoff: event.target.value as Retry["backoff"] })}
              >
                <option value="exponential">Double</option>
                <option value="linear">Grow</option>
                <option value="fixed">Stay</option>
              </Select>
            )}
          </Field>
          <Field label="First" error={errorAt("retry/initial")}>
            {(ids) => (
              <Input
                {...ids}
                placeholder="1s"
                value={retry.initial ?? ""}
                onChange={(event) => put({ initial: event.target.value || undefined })}
              />
            )}
          </Field>
          <Field label="Longest" error={errorAt("retry/max")}>
            {(ids) => (
              <Input
                {...ids}
                placeholder="1m"
                value={retry.max ?? ""}
                onChange={(event) => put({ max: event.target.value || undefined })}
              />
            )}
          </Field>
        </div>
      )}
    </>
  );
}
