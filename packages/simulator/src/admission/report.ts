import { parseArgs } from "node:util";
import { type AdmissionOptions, runAdmission, type Strategy } from "./run.ts";
import { runWhole } from "./whole.ts";

// npm run sim -- admission [queue|whole] [--hops 1|3] [--links 2|12] [--seconds S]
//
// Prints Markdown: for each place of the attacker and each strategy the worst of three seeds. `queue`: the shipped queue, price and bids
// alone, four minutes, at two rates of hashes. `whole`: whole cores, a minute, at the rate of the shipped kernel.

const SEEDS = [1, 2, 3];
const STRATEGIES: readonly Strategy[] = ["cheapest", "outbid", "all-in"];
/** The figure of the plan, and what one worker of the shipped kernel was taken for (virtual-mint.ts). */
const PLAN_HASHES_PER_MS = 2000;
const SHIPPED_HASHES_PER_MS = 5000;

type Place = Pick<AdmissionOptions, "hops" | "attackedLinks"> & {
  readonly name: string;
  readonly through: number;
  readonly mintP50Ms: number;
};

const PLACES: readonly Place[] = [
  { name: "2 of 12 links", hops: 1, attackedLinks: 2, through: 0.99, mintP50Ms: 60 },
  { name: "all links", hops: 1, attackedLinks: 12, through: 0.9, mintP50Ms: 3000 },
  { name: "2 of 12 links, three hops", hops: 3, attackedLinks: 2, through: 0.99, mintP50Ms: 60 },
  { name: "all links, three hops", hops: 3, attackedLinks: 12, through: 0.9, mintP50Ms: 3000 },
];

export function admissionReport(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { hops: { type: "string" }, links: { type: "string" }, seconds: { type: "string", default: "60" } },
  });
  const places = PLACES.filter(
    ({ hops, attackedLinks }) =>
      `${hops}` === (values.hops ?? `${hops}`) && `${attackedLinks}` === (values.links ?? `${attackedLinks}`),
  );
  const isWhole = positionals[0] === "whole";
  const runMs = 1000 * Number(values.seconds);
  const run = (options: AdmissionOptions) => (isWhole ? runWhole({ ...options, runMs }) : runAdmission(options));
  const rates = isWhole ? [SHIPPED_HASHES_PER_MS] : [PLAN_HASHES_PER_MS, SHIPPED_HASHES_PER_MS];
  print([
    "attacker on",
    "MH/s",
    "strategy",
    "through",
    "of",
    "mint p50 ms",
    "mint p95 ms",
    "in all p50 ms",
    "mints",
    "met",
  ]);
  print(Array.from({ length: 10 }, () => "---"));
  for (const hashesPerMs of rates) {
    for (const place of places) for (const strategy of STRATEGIES) printRow(place, strategy, hashesPerMs, run);
  }
}

function printRow(
  { name, hops, attackedLinks, through, mintP50Ms }: Place,
  strategy: Strategy,
  hashesPerMs: number,
  run: (options: AdmissionOptions) => Record<string, number>,
): void {
  const runs = SEEDS.map((seed) => run({ seed, hops, attackedLinks, strategy, hashesPerMs }));
  const most = (figure: string) => Math.max(...runs.map((figures) => figures[figure] ?? Number.NaN));
  const least = Math.min(...runs.map((figures) => figures.through ?? Number.NaN));
  const isMet = least >= through && most("mintP50Ms") <= mintP50Ms;
  const figures = [most("mintP50Ms"), most("mintP95Ms"), most("tookP50Ms")].map((value) => `${Math.round(value)}`);
  const messages = runs.reduce((sum, figures) => sum + (figures.messages ?? 0), 0);
  const share = `${(least * 100).toFixed(2)} %`;
  const mints = most("mints").toFixed(2);
  print([name, `${hashesPerMs / 1000}`, strategy, share, `${messages}`, ...figures, mints, isMet ? "yes" : "**no**"]);
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
