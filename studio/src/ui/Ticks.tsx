// A sentence in which what stands between backticks is code, as servers and schemas write it.
export const Ticks = ({ text }: { text: string }) =>
  text.split("`").map((part, place) =>
    place % 2 ? (
      <code key={place} className="rounded bg-raised px-0.5">
        {part}
      </code>
    ) : (
      part
    ),
  );
