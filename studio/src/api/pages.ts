// Lists that come in parts: how the next part is asked for, and all parts as one list. Must not know what is listed.
type Part<Item> = { items: Item[]; next?: string | null };

/** Options of `$api.useInfiniteQuery` for every list of the API. */
export const byCursor = {
  pageParamName: "cursor",
  initialPageParam: null,
  getNextPageParam: (part: unknown) => (part as Part<unknown>).next ?? null,
} as const;

export const itemsOf = <Item>(data: { pages: Part<Item>[] } | undefined): Item[] =>
  data?.pages.flatMap((part) => part.items) ?? [];
