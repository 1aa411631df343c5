import { parseArgs } from "node:util";
import { type Cell, runCell } from "./cell.ts";
import { writeRow } from "./document.ts";
import { runPlan } from "./plan-run.ts";
import { reportTable, writeReport } from "./report.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { USAGE } from "./usage.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: "string" },
    seed: { type: "string" },
    messages: { type: "string" },
    crypto: { type: "string", default: "real" },
    json: { type: "boolean", default: false },
    tune: { type: "boolean", default: false },
    cells: { type: "string", default: "node_modules/.cache/starling/sim" },
    out: { type: "string", default: "docs/simulation" },
    write: { type: "boolean", default: false },
  },
});

function usage(problem: string): never {
  process.stderr.write(`sim: ${problem}\n${USAGE}`);
  process.exit(2);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) usage(`--${name} is a whole number from ${least}, not '${text}'`);
  return value;
}

function print(cell: Cell): void {
  const { figures, violations, curves: _, ...rest } = cell;
  for (const [name, value] of Object.entries({ ...rest, ...figures, violations: violations.length })) {
    process.stdout.write(`${name.padEnd(22)} ${typeof value === "number" ? Number(value.toFixed(5)) : value}\n`);
  }
  for (const violation of violations) process.stdout.write(`VIOLATION ${violation}\n`);
}

/** "3" or "1-20". */
function seedsOf(text: string): number[] {
  const [first = "", last = first] = text.split("-");
  const from = whole("seed", first, 0);
  return Array.from({ length: whole("seed", last, from) - from + 1 }, (_, i) => from + i);
}

/** Says on stderr, each ten seconds, how far a run has come. */
function progressOf(name: string) {
  let saidMs = performance.now();
  return (virtualMs: number, events: number): void => {
    if (performance.now() < saidMs + 10_000) return;
    saidMs = performance.now();
    process.stderr.write(`sim: ${name}: ${Math.round(virtualMs / 1000)} s of virtual time, ${events} events\n`);
  };
}

function report(scenarios: readonly string[]): void {
  for (const scenario of scenarios) if (!(scenario in SCENARIOS)) usage(`unknown scenario '${scenario}'`);
  const rows = runPlan({
    scenarios,
    tune: values.tune,
    dir: values.cells,
    nodes: values.nodes === undefined ? undefined : whole("nodes", values.nodes, 2),
    messages: values.messages === undefined ? undefined : whole("messages", values.messages, 0),
    seeds: values.seed === undefined ? undefined : seedsOf(values.seed),
  });
  process.stdout.write(reportTable(rows));
  writeReport(rows, values.out);
  if (!values.write) return;
  for (const row of rows) {
    const traces = row.cells.map(({ traceHash }) => traceHash);
    writeRow(`${row.row.scenario}-${row.row.nodes}`, reportTable([row]), traces);
  }
}

const [scenario = "", ...others] = positionals;
if (scenario === "report") {
  report(others);
} else {
  if (!(scenario in SCENARIOS)) usage(scenario === "" ? "which scenario?" : `unknown scenario '${scenario}'`);
  const { crypto } = values;
  if (crypto !== "real" && crypto !== "stand-in") usage("--crypto is real or stand-in");
  const nodes = whole("nodes", values.nodes ?? "100", 2);
  const messages = values.messages === undefined ? nodes * 10 : whole("messages", values.messages, 0);
  for (const seed of seedsOf(values.seed ?? "11")) {
    const progress = progressOf(`${scenario}, ${nodes} nodes, seed ${seed}`);
    const cell = runCell(scenario, { nodes, seed, messages, crypto, progress });
    if (values.json) process.stdout.write(`${JSON.stringify(cell)}\n`);
    else print(cell);
    if (cell.violations.length > 0) process.exitCode = 1;
  }
}
