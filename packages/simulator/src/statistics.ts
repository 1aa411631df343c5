/** The value below which this part of a sorted list lies; NaN of an empty one. */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** 101 values: the least, the first percentile, … the greatest. */
export function quantiles(sorted: readonly number[]): number[] {
  return Array.from({ length: 101 }, (_, i) => percentile(sorted, i / 100));
}
