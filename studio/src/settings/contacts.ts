// Customers in words: what they are called, what they are known by. Must not know React.
import type { Schema } from "../api/client";

type Contact = Pick<Schema<"ContactView">, "id" | "name" | "identities">;

/** What people can read and type: ids that a provider made come last. */
const readable = ({ identities }: Contact) =>
  [...identities].sort((a, b) => Number(a.kind === "bsuid") - Number(b.kind === "bsuid"));

export const contactName = (contact: Contact) => contact.name || readable(contact)[0]?.address || contact.id;

export const contactNumbers = (contact: Contact) =>
  readable(contact)
    .map((one) => one.address)
    .join(", ");

/** What somebody types to show that they mean this customer: a number where there is one, else the name. */
export const contactProof = (contact: Contact) => readable(contact)[0]?.address || contactName(contact);
