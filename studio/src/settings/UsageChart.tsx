// Usage day by day. The only page part that loads the chart library.
import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

import type { Bar as Day } from "./usage";

/** Told apart in light and dark, also by those who see fewer colours. */
const FILLS = ["var(--accent)", "var(--busy)", "var(--warn)", "var(--muted)"];
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });

export default function UsageChart({ days, kinds }: { days: Day[]; kinds: string[] }) {
  return (
    <div role="img" aria-label="Usage by day; the table below has the sums" className="h-64">
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={days} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="at"
            tickFormatter={(at: number) => day.format(at)}
            stroke="var(--muted)"
            fontSize={11}
            tickLine={false}
          />
          <YAxis stroke="var(--muted)" fontSize={11} width={44} tickLine={false} allowDecimals={false} />
          <Tooltip
            labelFormatter={(at) => day.format(Number(at))}
            contentStyle={{ background: "var(--surface)", border: "1px solid var(--line)", borderRadius: 6 }}
            cursor={{ fill: "var(--raised)" }}
          />
          <Legend iconSize={8} wrapperStyle={{ fontSize: 12 }} />
          {kinds.map((kind, index) => (
            <Bar
              key={kind}
              name={kind}
              dataKey={(bar: Day) => bar.quantities[kind] ?? 0}
              stackId="all"
              fill={FILLS[index % FILLS.length]}
              isAnimationActive={false}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}
