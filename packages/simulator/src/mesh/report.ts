import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { TUNE_SEEDS } from "../plan.ts";
import { cellFigures, type Figures } from "./cells.ts";
import { growthPlot } from "./plot.ts";
import {
  ABLATION_CELLS,
  ABLATIONS,
  BASELINES,
  GROWTH_NODES,
  growthCell,
  MESH_ROWS,
  type MeshCell,
  type MeshRow,
} from "./rows.ts";
import { type MeshRunOptions, runMesh } from "./run.ts";

// npm run sim -- broadcast [rows|ablation|baselines|growth ...] [--tune] [--nodes N] [--row NAME] [--svg FILE] [--out DIR]
//
// Prints Markdown. A cell that was run with these very sources is not run again.

const ABLATION_FIGURES = ["transmissions", "p50Ms", "p99Ms", "missing"] as const;

export function broadcastReport(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tune: { type: "boolean", default: false },
      nodes: { type: "string" },
      row: { type: "string", default: "" },
      svg: { type: "string" },
      out: { type: "string", default: "node_modules/.cache/starling/sim" },
      cell: { type: "string" },
    },
  });
  if (values.cell !== undefined) {
    process.stdout.write(`${JSON.stringify(runMesh(JSON.parse(values.cell) as MeshRunOptions))}\n`);
    return;
  }
  const { out } = values;
  const parts = positionals.length === 0 ? ["rows", "ablation", "baselines", "growth"] : positionals;
  const isWanted = ({ name, cell }: MeshRow) =>
    name.includes(values.row) && (values.nodes === undefined || cell.nodes === Number(values.nodes));
  if (parts.includes("rows")) rows(MESH_ROWS.filter(isWanted), values.tune, out);
  if (parts.includes("ablation")) ablation(out);
  if (parts.includes("baselines")) baselines(out);
  if (parts.includes("growth")) growth(out, values.svg);
}

function rows(all: readonly MeshRow[], isTuning: boolean, out: string): void {
  print(["", "figure", "wanted", "worst", "each seed"]);
  print(["---", "---", "---", "---", "---"]);
  for (const row of all) {
    const seeds = isTuning ? TUNE_SEEDS.slice(0, row.seeds.length) : row.seeds;
    const cells = seeds.map((seed) => rowFigures(row, seed, out));
    const deliveries = cells.reduce((sum, { expected = 0 }) => sum + expected, 0);
    for (const [i, { figure, atLeast, atMost }] of row.targets.entries()) {
      const values = cells.map((figures) => figures[figure] ?? Number.NaN);
      const worst = atLeast === undefined ? Math.max(...values) : Math.min(...values);
      const isMet = atLeast === undefined ? worst <= (atMost ?? Number.NaN) : worst >= atLeast;
      const name = i === 0 ? `${row.name} (${deliveries} deliveries)` : "";
      const wanted = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
      print([name, figure, wanted, `${short(worst)}${isMet ? "" : " **missed**"}`, values.map(short).join(" · ")]);
    }
  }
}

function rowFigures({ cell, isComparedWithFloods }: MeshRow, seed: number, out: string): Figures {
  const figures = cellFigures({ ...cell, seed }, out);
  if (!isComparedWithFloods) return figures;
  const flood = { nodes: cell.nodes, messages: 20, scheme: "flood", loss: cell.loss, perSecond: 1, seed } as const;
  // A flood does not learn: nothing is to be warmed up.
  const random = cellFigures({ ...flood, warmUpMessages: 0, graph: "regular" }, out);
  const same = cellFigures({ ...flood, warmUpMessages: 0, graph: "overlay" }, out);
  const over = (figure: string, other: Figures) => (figures[figure] ?? Number.NaN) / (other[figure] ?? Number.NaN);
  return {
    ...figures,
    p50OverRandom: over("p50Ms", random),
    p99OverRandom: over("p99Ms", random),
    p50OverSame: over("p50Ms", same),
  };
}

function ablation(out: string): void {
  print(["", ...ABLATION_CELLS.map(({ name }) => name)]);
  print(["---", ...ABLATION_CELLS.map(() => "---")]);
  for (const { name, rules } of ABLATIONS) {
    const cells = ABLATION_CELLS.map(({ cell }) => {
      const seeds = TUNE_SEEDS.map((seed) => cellFigures({ ...cell, rules, seed }, out));
      const mean = (figure: string) => seeds.reduce((sum, one) => sum + (one[figure] ?? 0), 0) / seeds.length;
      const [transmissions, p50, p99, missing] = ABLATION_FIGURES.map(mean) as [number, number, number, number];
      const lost = missing > 0 ? ` / **${short(missing)} missing**` : "";
      return `${transmissions.toFixed(3)} / ${Math.round(p50)} / ${Math.round(p99)}${lost}`;
    });
    print([name, ...cells]);
  }
}

function baselines(out: string): void {
  print(["scheme", "links", "loss, rate", "delivery", "transmissions", "bytes", "p50 ms", "p99 ms"]);
  print(["---", "---", "---", "---", "---", "---", "---", "---"]);
  for (const cell of BASELINES) {
    const { delivery, transmissions, bytes, p50Ms, p99Ms } = cellFigures({ ...cell, seed: 1 }, out);
    const conditions = `${cell.loss * 100} %, ${cell.perSecond}/s`;
    const figures = [delivery, transmissions, bytes, p50Ms, p99Ms].map((value) => short(value ?? Number.NaN));
    print([cell.scheme, cell.graph === "overlay" ? "the same" : "8-regular", conditions, ...figures]);
  }
}

function growth(out: string, svg: string | undefined): void {
  const figuresOf = (cell: MeshCell) => cellFigures({ ...cell, seed: 1 }, out);
  const points = GROWTH_NODES.map((nodes) => {
    const tree = figuresOf(growthCell(nodes, "tree", "overlay"));
    const flood = figuresOf({ ...growthCell(nodes, "flood", "regular"), warmUpMessages: 0 });
    return { nodes, tree, flood };
  });
  print(["nodes", "transmissions", "bytes", "links", "p50 ms", "p99 ms", "flood p50", "flood p99"]);
  print(["---", "---", "---", "---", "---", "---", "---", "---"]);
  for (const { nodes, tree, flood } of points) {
    const { transmissions, bytes, links, p50Ms, p99Ms } = tree;
    const figures = [transmissions, bytes, links, p50Ms, p99Ms, flood.p50Ms, flood.p99Ms];
    print([`${nodes}`, ...figures.map((value) => short(value ?? Number.NaN))]);
  }
  if (svg !== undefined) writeFileSync(svg, growthPlot(points));
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function short(value: number): string {
  return `${Number(value.toFixed(value >= 10 ? 0 : value >= 1 ? 3 : 5))}`;
}
