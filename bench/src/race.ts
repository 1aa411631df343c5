import { Bench } from "tinybench";

// Candidates run in turn within each round, so that what else the machine does touches both sides of a ratio alike.

export type Candidate = {
  /** One run; may be async. */
  readonly run: () => unknown;
  /** Operations in one run, where one is too short to be timed alone; 1 unless told. */
  readonly operations?: number;
};

export type Race<Name extends string> = {
  /** Operations a second of each candidate, one number a round. */
  readonly rates: Record<Name, number[]>;
};

/** Rounds of at least `roundMs` a candidate, after one round that is not counted. */
export async function race<Name extends string>(
  candidates: Record<Name, Candidate>,
  options: {
    readonly rounds: number;
    readonly roundMs: number;
    readonly progress?: (done: number, of: number) => void;
  },
): Promise<Race<Name>> {
  const names = Object.keys(candidates) as Name[];
  const rates = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -1; round < options.rounds; round += 1) {
    for (const name of names) {
      const { run, operations = 1 } = candidates[name];
      const bench = new Bench({ time: options.roundMs, warmup: false, iterations: 3, throws: true }).add(name, run);
      await bench.run();
      const { result } = bench.tasks[0] ?? {};
      if (result?.state !== "completed") throw new Error(`${name} could not be measured`);
      if (round >= 0) rates[name].push((operations * 1000) / result.latency.p50);
    }
    options.progress?.(round + 2, options.rounds + 1);
  }
  return { rates };
}

/** `ours` over `peer`, round by round. */
export function ratios(ours: readonly number[], peer: readonly number[]): number[] {
  return ours.map((rate, round) => rate / (peer[round] ?? Number.NaN));
}
