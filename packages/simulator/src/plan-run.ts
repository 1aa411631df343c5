import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cell } from "./cell.ts";
import { ROWS, type Row, TUNE_SEEDS } from "./plan.ts";

// Runs the rows of the plan, cell by cell, each in a process of its own. A cell that was run with these very sources is not run
// again, so a run that was stopped goes on where it was.

const root = fileURLToPath(new URL("../../../", import.meta.url));

export type PlanOptions = {
  /** Scenarios to run; all where it is empty. */
  readonly scenarios: readonly string[];
  /** With the seeds that parameters are tuned on. */
  readonly tune: boolean;
  /** Instead of the plan's: a smaller run, which its table says. */
  readonly nodes?: number | undefined;
  readonly messages?: number | undefined;
  readonly seeds?: readonly number[] | undefined;
  /** Where cells are kept. */
  readonly dir: string;
};

export type RowCells = { readonly row: Row; readonly cells: readonly Cell[] };

export function runPlan({ scenarios, tune, dir, nodes, messages, seeds: wanted }: PlanOptions): RowCells[] {
  mkdirSync(dir, { recursive: true });
  const digest = sourcesDigest();
  const isWanted = ({ scenario }: Row) => scenarios.length === 0 || scenarios.includes(scenario);
  // A scenario that stands in the plan with two sizes is one row when the size is given.
  const rows = ROWS.filter((row, i) => {
    const isFirst = ROWS.findIndex(({ scenario }) => scenario === row.scenario) === i;
    return isWanted(row) && (nodes === undefined || isFirst);
  });
  return rows.map((planned) => {
    const row = { ...planned, nodes: nodes ?? planned.nodes, messages: messages ?? planned.messages };
    const seeds = wanted ?? (tune ? TUNE_SEEDS : row.seeds);
    const { seedsPerCell = 1 } = row;
    const cells: Cell[] = [];
    for (let i = 0; i < seeds.length; i += seedsPerCell) {
      cells.push(...cellsOf(row, seeds.slice(i, i + seedsPerCell), join(dir, digest)));
    }
    return { row, cells };
  });
}

function cellsOf(row: Row, seeds: readonly number[], dir: string): Cell[] {
  mkdirSync(dir, { recursive: true });
  const { scenario, nodes, messages } = row;
  const range = seeds.length === 1 ? `${seeds[0]}` : `${seeds[0]}-${seeds.at(-1)}`;
  const path = join(dir, `${scenario}-${nodes}-${messages}-${range}.json`);
  if (!existsSync(path)) {
    process.stderr.write(`sim: ${scenario}, ${nodes} nodes, seed ${range}\n`);
    const args = [scenario, "--nodes", `${nodes}`, "--messages", `${messages}`, "--seed", range, "--json"];
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const ran = spawnSync(process.execPath, [...process.execArgv, main, ...args, "--crypto", "stand-in"], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "inherit"],
    });
    // One line a seed: a process that dies in the middle of its seeds has printed those before.
    const resultCount = ran.stdout.split("\n").length - 1;
    if (resultCount !== seeds.length) {
      throw new Error(`${scenario}, seed ${range}: ${resultCount} results of ${seeds.length}`);
    }
    writeFileSync(path, ran.stdout);
  }
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Cell);
}

/** Names all sources that a run depends on. */
function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(join(root, "packages")).sort()) {
    const src = join(root, "packages", name, "src");
    if (!existsSync(src)) continue;
    for (const file of readdirSync(src, { recursive: true, encoding: "utf8" }).sort()) {
      if (file.endsWith(".ts")) hash.update(file).update(readFileSync(join(src, file)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}
