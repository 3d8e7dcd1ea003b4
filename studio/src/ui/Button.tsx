// Buttons, and links that look like them. Must not know what they do.
import { forwardRef, type ComponentProps, type ReactNode } from "react";
import { Link } from "react-router";

import { cx } from "./cx";
import { Spinner } from "./Spinner";
import { Tip } from "./Tip";

type Look = "primary" | "plain" | "quiet" | "danger";
type Size = "small" | "normal";

const looks: Record<Look, string> = {
  // A pointed-at button must be read as well as others: it moves towards the text, away from its own words.
  primary: "bg-accent text-on-accent border-transparent hover:bg-accent-strong",
  plain: "bg-surface text-text border-line hover:bg-raised",
  quiet: "bg-transparent text-text border-transparent hover:bg-raised",
  danger: "bg-surface text-bad border-line hover:bg-bad/10",
};
const sizes: Record<Size, string> = { small: "h-7 px-2 text-xs gap-1", normal: "h-8 px-3 text-sm gap-1.5" };

export const buttonClass = (look: Look = "plain", size: Size = "normal", more?: string) =>
  cx(
    "inline-flex shrink-0 cursor-pointer items-center justify-center rounded-md border font-medium whitespace-nowrap select-none",
    "disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50",
    looks[look],
    sizes[size],
    more,
  );

type ButtonProps = ComponentProps<"button"> & {
  look?: Look;
  size?: Size;
  icon?: ReactNode;
  /** Shows a spinner and takes no clicks. */
  busy?: boolean;
};

export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { look, size, icon, busy, className, children, disabled, ...rest },
  ref,
) {
  return (
    <button
      ref={ref}
      type="button"
      {...rest}
      disabled={disabled || busy}
      className={buttonClass(look, size, className)}
    >
      {busy ? <Spinner size={14} /> : icon}
      {children}
    </button>
  );
});

type IconButtonProps = Omit<ButtonProps, "children" | "icon"> & { label: string; children: ReactNode };

/** A button that is only an icon: its label is read aloud and shown when it is pointed at. */
export const IconButton = forwardRef<HTMLButtonElement, IconButtonProps>(function IconButton(
  { label, children, className, look = "quiet", size = "normal", busy, ...rest },
  ref,
) {
  return (
    <Tip text={label}>
      <Button
        ref={ref}
        aria-label={label}
        look={look}
        size={size}
        busy={busy}
        {...rest}
        className={cx(size === "small" ? "w-7 px-0" : "w-8 px-0", className)}
      >
        {busy ? null : children}
      </Button>
    </Tip>
  );
});

export function ButtonLink({
  look,
  size,
  icon,
  className,
  children,
  ...rest
}: ComponentProps<typeof Link> & { look?: Look; size?: Size; icon?: ReactNode }) {
  return (
    <Link {...rest} className={buttonClass(look, size, className)}>
      {icon}
      {children}
    </Link>
  );
}
