import type { Figures } from "./cells.ts";

// Growth of latency and cost with the number of nodes, as SVG: measured points, and the straight line through them over the logarithm
// of the number, drawn on to a million. What lies beyond the last point is not measured.

type Measured = { readonly nodes: number; readonly tree: Figures; readonly flood: Figures };
type Series = { readonly name: string; readonly colour: string; readonly values: readonly number[] };

const LOG_FIRST = 2;
const LOG_LAST = 6;
const WIDTH = 640;
const HEIGHT = 280;
const LEFT = 60;
const RIGHT = 190;
const TOP = 30;
const BOTTOM = 40;

export function growthPlot(measured: readonly Measured[]): string {
  const of = (side: "tree" | "flood", figure: string) => measured.map((point) => point[side][figure] ?? 0);
  const logs = measured.map(({ nodes }) => Math.log10(nodes));
  const latency = chart("latency, ms", logs, [
    { name: "p99", colour: "#b2182b", values: of("tree", "p99Ms") },
    { name: "p50", colour: "#2166ac", values: of("tree", "p50Ms") },
    { name: "p99, flood on 8-regular", colour: "#e08a95", values: of("flood", "p99Ms") },
    { name: "p50, flood on 8-regular", colour: "#92b8dc", values: of("flood", "p50Ms") },
  ]);
  const cost = chart("bytes a delivery, all in", logs, [
    { name: "bytes", colour: "#1b7837", values: of("tree", "bytes") },
  ]);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${2 * HEIGHT}" font-family="sans-serif" font-size="12">
<title>A broadcast over the number of nodes: latency and transmissions</title>
<rect width="100%" height="100%" fill="white"/>
<g>${latency}</g>
<g transform="translate(0 ${HEIGHT})">${cost}</g>
</svg>
`;
}

function chart(title: string, logs: readonly number[], series: readonly Series[]): string {
  const lines = series.map((one) => ({ ...one, ...fit(logs, one.values) }));
  const most = Math.max(...lines.flatMap(({ values, slope, start }) => [...values, start + slope * LOG_LAST])) * 1.1;
  const x = (log: number) => LEFT + ((log - LOG_FIRST) / (LOG_LAST - LOG_FIRST)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const last = logs.at(-1) ?? LOG_FIRST;
  const parts = [`<text x="${LEFT}" y="${TOP - 12}" font-weight="bold">${title}</text>`];
  for (let log = LOG_FIRST; log <= LOG_LAST; log += 1) {
    parts.push(`<line x1="${x(log)}" y1="${TOP}" x2="${x(log)}" y2="${y(0)}" stroke="#ddd"/>`);
    parts.push(`<text x="${x(log)}" y="${y(0) + 16}" text-anchor="middle">${(10 ** log).toLocaleString("en")}</text>`);
  }
  for (let i = 0; i <= 4; i += 1) {
    const value = (most * i) / 4;
    parts.push(`<line x1="${LEFT}" y1="${y(value)}" x2="${x(LOG_LAST)}" y2="${y(value)}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${Math.round(value)}</text>`);
  }
  parts.push(`<text x="${x(4)}" y="${y(0) + 32}" text-anchor="middle">nodes (dashed: drawn on, not measured)</text>`);
  for (const [i, { name, colour, values, slope, start }] of lines.entries()) {
    const at = (log: number) => `${x(log).toFixed(1)},${y(start + slope * log).toFixed(1)}`;
    parts.push(
      `<polyline points="${at(LOG_FIRST)} ${at(last)}" fill="none" stroke="${colour}"/>`,
      `<polyline points="${at(last)} ${at(LOG_LAST)}" fill="none" stroke="${colour}" stroke-dasharray="5 4"/>`,
    );
    for (const [j, value] of values.entries()) {
      parts.push(`<circle cx="${x(logs[j] ?? 0).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    parts.push(`<text x="${WIDTH - RIGHT + 14}" y="${TOP + 16 * (i + 1)}" fill="${colour}">${name}</text>`);
  }
  return parts.join("\n");
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
