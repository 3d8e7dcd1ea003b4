// Amounts of the ledger in words. They are whole micro-units: 1,000,000 are one of the currency. Must not know React.

export const MICRO = 1_000_000;

/** Such as "₹1,234.50". Small prices keep what would be rounded away. */
export function money(micro: number, currency: string): string {
  const amount = micro / MICRO;
  const isSmall = amount !== 0 && Math.abs(amount) < 1;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: isSmall ? 6 : 2 };
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(amount);
}

/** The currency of an account such as `wallet/INR`. */
export const currencyOf = (account: string) => account.split("/").at(-1) ?? "";
/** The kind of an account such as `wallet/INR`. */
export const kindOf = (account: string) => account.split("/")[0] ?? account;

/** What somebody typed, as the ledger counts. */
export const microOf = (amount: string) => Math.round(Number(amount) * MICRO);
/** The other way, for a form. */
export const amountOf = (micro: number) => String(micro / MICRO);
/** What an amount in a form steps by, so that none is too fine for the ledger. */
export const FINEST = 1 / MICRO;
