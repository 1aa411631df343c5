import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cell } from "./cell.ts";
import type { Target } from "./plan.ts";
import type { RowCells } from "./plan-run.ts";
import { distributionPlot } from "./plot.ts";

// What came out beside what must: a table for people, JSON lines for programs, a plot for each curve.

const DIGITS = 5;

/** A figure of a row: the worst of its seeds, or for what adds up over the seeds, the sum. */
function figureOf({ figure, atLeast }: Target, cells: readonly Cell[]): number {
  const sum = (of: (cell: Cell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  if (figure === "wallMinutes") return sum(({ wallMs }) => wallMs) / 60_000;
  if (figure === "violations") return sum(({ violations }) => violations.length);
  if (figure === "peakGiB") return Math.max(...cells.map(({ peakMiB }) => peakMiB)) / 1024;
  const values = cells.map(({ figures }) => figures[figure] ?? Number.NaN);
  return atLeast === undefined ? Math.max(...values) : Math.min(...values);
}

function isMet({ atMost, atLeast }: Target, value: number): boolean {
  return atLeast === undefined ? value <= (atMost ?? Number.NaN) : value >= atLeast;
}

const short = (value: number) => `${Number(value.toPrecision(DIGITS))}`;

/** Markdown: a line for each target of each row. */
export function reportTable(rows: readonly RowCells[]): string {
  const lines = [
    "| scenario | nodes | seeds | figure | target | measured, worst seed | |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const { row, cells } of rows) {
    const seeds = cells.map(({ seed }) => seed);
    const named = seeds.length > 5 ? `${seeds[0]}-${seeds.at(-1)}` : seeds.join(", ");
    for (const target of row.targets(row.nodes)) {
      const value = figureOf(target, cells);
      const wanted = target.atLeast === undefined ? `≤ ${short(target.atMost ?? Number.NaN)}` : `≥ ${target.atLeast}`;
      const verdict = isMet(target, value) ? "met" : "**missed**";
      lines.push(
        `| ${row.scenario} | ${row.nodes} | ${named} | ${target.figure} | ${wanted} | ${short(value)} | ${verdict} |`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The cells of each row as a file with a line of JSON each, and the plots of its curves. */
export function writeReport(rows: readonly RowCells[], dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const { row, cells } of rows) {
    const name = `${row.scenario}-${row.nodes}`;
    const plain = cells.map(({ curves: _, ...cell }) => cell);
    writeFileSync(join(dir, `${name}.jsonl`), `${plain.map((cell) => JSON.stringify(cell)).join("\n")}\n`);
    for (const curve of Object.keys(cells[0]?.curves ?? {})) {
      const series = cells.map(({ seed, curves }) => ({ name: `seed ${seed}`, quantiles: curves[curve] ?? [] }));
      const slug = curve.replaceAll(/[^a-z]+/g, "-");
      writeFileSync(join(dir, `${name}-${slug}.svg`), distributionPlot(row.name, curve, series));
    }
  }
}
