import { type AdmissionOptions, runAdmission, type Strategy } from "./run.ts";

// npm run sim -- admission
//
// Prints Markdown: for each place of the attacker and each rate of hashes the worst of its strategies and of the seeds.

const SEEDS = [1, 2, 3];
const STRATEGIES: readonly Strategy[] = ["cheapest", "outbid", "all-in"];
/** The figure of the plan, and what one worker of the shipped kernel was taken for (virtual-mint.ts). */
const HASHES_PER_MS = [2000, 5000];

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

export function admissionReport(): void {
  print(["attacker on", "MH/s", "strategy", "through", "mint p50 ms", "mint p95 ms", "in all p50 ms", "mints", "met"]);
  print(Array.from({ length: 9 }, () => "---"));
  for (const hashesPerMs of HASHES_PER_MS) {
    for (const { name, hops, attackedLinks, through, mintP50Ms } of PLACES) {
      for (const strategy of STRATEGIES) {
        const runs = SEEDS.map((seed) => runAdmission({ seed, hops, attackedLinks, strategy, hashesPerMs }));
        const most = (figure: string) => Math.max(...runs.map((run) => run[figure] ?? Number.NaN));
        const least = Math.min(...runs.map((run) => run.through ?? Number.NaN));
        const isMet = least >= through && most("mintP50Ms") <= mintP50Ms;
        const figures = [most("mintP50Ms"), most("mintP95Ms"), most("tookP50Ms")].map(
          (value) => `${Math.round(value)}`,
        );
        const mints = most("mints").toFixed(2);
        const share = `${(least * 100).toFixed(2)} %`;
        print([name, `${hashesPerMs / 1000}`, strategy, share, ...figures, mints, isMet ? "yes" : "**no**"]);
      }
    }
  }
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
