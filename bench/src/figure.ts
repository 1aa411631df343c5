/** What a figure is to be, of its median. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** A measured figure: samples of one thing, one a round. */
export type Figure = {
  readonly name: string;
  /** "ms", or "x" for a ratio to the peer of the same round. */
  readonly unit: string;
  readonly samples: readonly number[];
  /** None: a figure that is told and not judged. */
  readonly target?: Target;
  /** What stood on each side of a ratio, in absolute terms, versions named: "16.1 MH/s" beside "C, OpenSSL 3.0: 20.4 MH/s". */
  readonly ours?: string;
  readonly peer?: string;
  /** Why it could not be measured here; there are no samples then. */
  readonly skipped?: string;
};

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Undefined where there is no target, or nothing was measured. */
export function isMet({ samples, target, skipped }: Figure): boolean | undefined {
  if (target === undefined || skipped !== undefined) return undefined;
  return "atMost" in target ? median(samples) <= target.atMost : median(samples) >= target.atLeast;
}

/** One line of Markdown: | figure | target | measured | */
export function row(figure: Figure): string {
  const { name, unit, samples, ours, peer, skipped } = figure;
  if (skipped !== undefined) return `| ${name} | ${describeTarget(figure)} | not measured: ${skipped} |`;
  const range = samples.length > 1 ? ` (${number(Math.min(...samples))} to ${number(Math.max(...samples))})` : "";
  const sides = ours !== undefined && peer !== undefined ? `: ${ours} beside ${peer}` : "";
  const missed = isMet(figure) === false ? " **missed**" : "";
  return `| ${name} | ${describeTarget(figure)} | ${number(median(samples))} ${unit}${range}${sides}${missed} |`;
}

function describeTarget({ unit, target }: Figure): string {
  if (target === undefined) return "–";
  return "atMost" in target ? `≤ ${number(target.atMost)} ${unit}` : `≥ ${number(target.atLeast)} ${unit}`;
}

/** Three digits that matter. */
export function number(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 12) });
}
