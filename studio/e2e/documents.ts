// Workflows that the tests use. Only tests name node types.

/** Waits for a decision, then goes one of two ways. */
export const refund = (name = "Refund") => ({
  name,
  nodes: [
    { id: "start", type: "trigger.manual", params: {} },
    {
      id: "ask",
      type: "flow.approval",
      label: "Ask the boss",
      params: { title: "Refund of 420 for Asha?", message: "Order 1042 came broken." },
    },
    { id: "pay", type: "data.set", label: "Pay", params: { fields: { paid: true } } },
    { id: "sorry", type: "data.set", label: "Say sorry", params: { fields: { paid: false } } },
  ],
  edges: [
    { from: "start", to: "ask" },
    { from: "ask.approved", to: "pay" },
    { from: "ask.rejected", to: "sorry" },
  ],
});

/** Answers every message of a customer. */
export const echo = {
  name: "Echo",
  nodes: [
    { id: "heard", type: "whatsapp.message_received", label: "A customer writes", params: {} },
    {
      id: "answer",
      type: "whatsapp.send",
      label: "Answer",
      params: { type: "text", text: "You said: {{ json.message.text }}" },
    },
  ],
  edges: [{ from: "heard", to: "answer" }],
};

/** Asks a service once, and counts with what it answers. */
export const bill = (address: string, sum = "{{ json.body.amount * 2 }}") => ({
  name: "Bill",
  nodes: [
    { id: "start", type: "trigger.manual", params: {} },
    {
      id: "fetch",
      type: "http.request",
      label: "Fetch the amount",
      params: { url: address },
      settings: { retry: { max_attempts: 1 } },
    },
    { id: "sum", type: "data.set", label: "Sum", params: { fields: { total: sum } } },
  ],
  edges: [
    { from: "start", to: "fetch" },
    { from: "fetch", to: "sum" },
  ],
});
