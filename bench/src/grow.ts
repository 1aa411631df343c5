import type { Grown, Growth } from "./growth.ts";

// A growth is measured: all sides at each value of the parameter, in turn within each round.

export type Place<Name extends string, Sample> = {
  /** Makes everything as it is to be at this value; left out where `measure` does. */
  set?(value: number): void;
  measure(side: Name, value: number): Promise<Sample>;
  close(): Promise<void>;
};

export type Plan<Name extends string, Sample> = {
  /** The sides, in the order in which they are measured, by the names that people read. */
  readonly names: Readonly<Record<Name, string>>;
  readonly rounds: number;
  /** What is drawn of a sample; NaN where a side has no such figure. */
  readonly charts: readonly { readonly name: string; readonly unit: string; of(sample: Sample): number }[];
  /** Starts all sides; called for the first value, or, where each needs a place of its own, for every one. */
  open(value: number): Promise<Place<Name, Sample>>;
  readonly isApart: boolean;
  /** Why it cannot be measured here. */
  whyNot(): Promise<string | undefined>;
  /** Asked when all is there. */
  versions(): string;
  progress(done: number, of: number): void;
};

export async function grow<Name extends string, Sample>(
  what: Omit<Growth, "charts" | "skipped">,
  plan: Plan<Name, Sample>,
): Promise<Growth> {
  const skipped = await plan.whyNot();
  if (skipped !== undefined) return { ...what, charts: [], skipped };
  const samples = await samplesOf(what.over.values, plan);
  const charts = plan.charts.map(({ name, unit, of }): Grown => {
    const sides = (Object.keys(plan.names) as Name[]).map((side) => ({
      name: plan.names[side],
      samples: samples[side].map((rounds) => rounds.map(of)),
    }));
    return { name, unit, sides: sides.filter((side) => !side.samples.flat().every(Number.isNaN)) };
  });
  const note = `${plan.versions()} ${what.note}`;
  return { ...what, note, charts: charts.filter(({ sides }) => sides.length > 0) };
}

/** For each side, for each value, one sample a round, after a round that is not counted. */
async function samplesOf<Name extends string, Sample>(
  values: readonly number[],
  { names, rounds, open, isApart, progress }: Plan<Name, Sample>,
): Promise<Record<Name, Sample[][]>> {
  const sides = Object.keys(names) as Name[];
  const empty = sides.map((side): [Name, Sample[][]] => [side, values.map(() => [])]);
  const samples = Object.fromEntries(empty) as Record<Name, Sample[][]>;
  let place: Place<Name, Sample> | undefined;
  try {
    for (const [at, value] of values.entries()) {
      if (isApart) await place?.close();
      if (isApart || place === undefined) place = await open(value);
      place.set?.(value);
      for (let round = -1; round < rounds; round += 1) {
        for (const side of sides) {
          const sample = await place.measure(side, value);
          if (round >= 0) samples[side][at]?.push(sample);
        }
        progress(at * (rounds + 1) + round + 2, values.length * (rounds + 1));
      }
    }
  } finally {
    await place?.close();
  }
  return samples;
}
