import { drawSheet } from "@starling/plot";

// How large a part of the values lies below x, a line for each seed.

export type Series = { readonly name: string /** At 0 %, 1 %, … 100 %. */; readonly quantiles: readonly number[] };

export function distributionPlot(title: string, unit: string, series: readonly Series[]): string {
  const lines = series.map(({ name, quantiles }) => ({
    name,
    look: "line" as const,
    // The last per cent would press all others against the axis.
    points: quantiles.slice(0, -1).map((x, percent) => ({ x, y: percent })),
  }));
  const share = { label: "part of the values", to: 100, suffix: " %" };
  return drawSheet({ title, charts: [{ x: { label: unit }, y: share, lines }] });
}
