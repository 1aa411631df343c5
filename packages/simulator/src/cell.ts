import { SCENARIOS } from "./scenarios/index.ts";
import type { CellOptions } from "./scenarios/scenario.ts";

/** One run of one scenario: its figures, and what names it. */
export type Cell = Omit<CellOptions, "progress"> & {
  readonly scenario: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly curves: Readonly<Record<string, readonly number[]>>;
  readonly violations: readonly string[];
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly wallMs: number;
  /** Of this process, in which nothing else ran: what the wall time would be on an idle machine. */
  readonly cpuMs: number;
  readonly events: number;
  readonly datagrams: number;
  readonly peakMiB: number;
};

export function runCell(scenario: string, options: CellOptions): Cell {
  const run = SCENARIOS[scenario];
  if (run === undefined) throw new Error(`no scenario is called ${scenario}`);
  const { progress: _, ...named } = options;
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const { fleet, figures, curves = {} } = run(options);
  const { world, ledger } = fleet;
  return {
    scenario,
    ...named,
    figures,
    curves,
    violations: ledger.violations,
    traceHash: world.network.traceHash,
    virtualMs: Math.round(world.queue.nowMs),
    wallMs: Math.round(performance.now() - startMs),
    cpuMs: cpuMs(startCpu),
    events: world.queue.count,
    datagrams: world.network.counts.sent,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return Math.round((user + system) / 1000);
}
