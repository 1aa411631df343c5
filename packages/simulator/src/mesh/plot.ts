import { type Chart, drawSheet, type Line } from "@starling/plot";
import type { Figures } from "./cells.ts";

// Growth of latency and cost with the number of nodes: measured points, and the straight line through them over the logarithm of the
// number, drawn on to a million. What lies beyond the last point is not measured.

type Measured = { readonly nodes: number; readonly tree: Figures; readonly flood: Figures };

const NODES = { isLog: true, from: 100, to: 1_000_000, ticks: [100, 1_000, 10_000, 100_000, 1_000_000] };

export function growthPlot(measured: readonly Measured[]): string {
  const lines = (name: string, side: "tree" | "flood", figure: string): Line[] =>
    fitted(
      name,
      measured.map((point) => ({ x: point.nodes, y: point[side][figure] ?? 0 })),
    );
  return drawSheet({
    title: "A broadcast over the number of nodes: latency and bytes",
    charts: [
      chart("latency, ms", [
        ...lines("p99", "tree", "p99Ms"),
        ...lines("p50", "tree", "p50Ms"),
        ...lines("p99, flood on 8-regular", "flood", "p99Ms"),
        ...lines("p50, flood on 8-regular", "flood", "p50Ms"),
      ]),
      chart("bytes a delivery, all in", lines("bytes", "tree", "bytes")),
    ],
  });
}

function chart(label: string, lines: readonly Line[]): Chart {
  return { x: { label: "nodes (dashed: drawn on, not measured)", ...NODES }, y: { label }, lines };
}

type Point = { readonly x: number; readonly y: number };

/** The points, what goes through them, and how it goes on. */
function fitted(name: string, points: readonly Point[]): Line[] {
  const { slope, start } = fit(
    points.map(({ x }) => Math.log10(x)),
    points.map(({ y }) => y),
  );
  const at = (x: number): Point => ({ x, y: start + slope * Math.log10(x) });
  const last = points.at(-1)?.x ?? NODES.from;
  return [
    { name, points, look: "points" },
    { name, points: [at(NODES.from), at(last)], look: "line" },
    { name, points: [at(last), at(NODES.to)], look: "dashed" },
  ];
}

/** Least squares. */
function fit(xs: readonly number[], ys: readonly number[]): { readonly slope: number; readonly start: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - meanX) * ((ys[i] ?? 0) - meanY), 0);
  const under = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = under === 0 ? 0 : over / under;
  return { slope, start: meanY - slope * meanX };
}
