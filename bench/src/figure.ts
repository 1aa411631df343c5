/** A measured figure: samples of one thing, and what it is to be at most. */
export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
  readonly targetMedian: number;
};

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function describe({ name, unit, samples, targetMedian }: Figure): string {
  const least = Math.min(...samples);
  const most = Math.max(...samples);
  const verdict = median(samples) <= targetMedian ? "met" : "MISSED";
  return `${name}: median ${median(samples)} ${unit} of ${samples.length} (${least} to ${most}); target ≤ ${targetMedian} ${unit}: ${verdict}`;
}
