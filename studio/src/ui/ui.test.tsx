import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { ApiError } from "../api/client";
import { Confirm } from "./Dialog";
import { JsonView } from "./JsonView";
import { TextField } from "./TextField";
import { TipProvider } from "./Tip";
import { ago, span } from "./time";
import { useSubmit } from "./useSubmit";

const refusal = (path: string) => new ApiError(422, "invalid_value", "That will not do.", { path }, "req_1");

function NameForm({ fault }: { fault: Error }) {
  const form = useSubmit(() => Promise.reject(fault), ["name"]);
  return (
    <form onSubmit={form.onSubmit}>
      <TextField label="Name" value="x" onChange={() => {}} error={form.errorAt("name")} />
      <p>{form.error instanceof Error ? `Elsewhere: ${form.error.message}` : "nothing elsewhere"}</p>
      <button type="submit">Save</button>
    </form>
  );
}

test.each(["/name", "name", "/name/0"])(
  "what the server says of %s stands at the field, and is tied to it",
  async (path) => {
    render(<NameForm fault={refusal(path)} />);
    await userEvent.click(screen.getByText("Save"));
    const field = await screen.findByRole("textbox", { name: "Name" });
    expect(field).toBeInvalid();
    expect(field).toHaveAccessibleDescription("That will not do.");
    expect(screen.getByText("nothing elsewhere")).toBeInTheDocument();
  },
);

test("what concerns no field of the form is said elsewhere", async () => {
  render(<NameForm fault={refusal("/names")} />);
  await userEvent.click(screen.getByText("Save"));
  expect(await screen.findByText("Elsewhere: That will not do.")).toBeInTheDocument();
  expect(screen.getByRole("textbox", { name: "Name" })).toBeValid();
});

test("a question stays open and says why when it did not end well", async () => {
  const onClose = vi.fn();
  const onConfirm = vi.fn().mockRejectedValueOnce(refusal("")).mockResolvedValueOnce(undefined);
  render(
    <Confirm isOpen onClose={onClose} title="Delete it?" action="Delete" onConfirm={onConfirm}>
      It goes.
    </Confirm>,
  );
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("That will not do.");
  expect(onClose).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  await vi.waitFor(() => expect(onClose).toHaveBeenCalled());
});

test("a long list is shown in parts", async () => {
  const value = { list: Array.from({ length: 250 }, (_, index) => `item ${index}`) };
  render(<JsonView label="Output" value={value} />, { wrapper: TipProvider });
  expect(screen.getByText('"item 99"')).toBeInTheDocument();
  expect(screen.queryByText('"item 100"')).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "150 more" }));
  expect(screen.getByText('"item 249"')).toBeInTheDocument();
});

test.each([
  [340, "340 ms"],
  [2140, "2.1 s"],
  [250_000, "4 min 10 s"],
  [7_500_000, "2 h 5 min"],
  [300_000_000, "3 days"],
])("%d ms are %s", (ms, words) => expect(span(ms)).toBe(words));

test("moments are told from now, before and after", () => {
  const now = Date.UTC(2026, 0, 1);
  expect(ago(now - 180_000, now)).toBe("3 min. ago");
  expect(ago(now + 172_800_000, now)).toBe("in 2 days");
});
