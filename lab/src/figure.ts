/** One thing that a scenario found out, beside what it must be. */
export type Figure = {
  readonly name: string;
  /** A number, or for what is or is not, true or false. */
  readonly value: number | boolean;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly detail?: string;
  /** Why it is not met yet, where that is known: counted as skipped until it is met, and as passed from then on. */
  readonly knownFault?: string;
};

function isMet({ value, atMost, atLeast }: Figure): boolean {
  if (typeof value === "boolean") return value;
  return value <= (atMost ?? Number.POSITIVE_INFINITY) && value >= (atLeast ?? Number.NEGATIVE_INFINITY);
}

export type Outcome = "passed" | "failed" | "skipped";

export function outcomeOf(figure: Figure): Outcome {
  if (isMet(figure)) return "passed";
  return figure.knownFault === undefined ? "failed" : "skipped";
}

const WORDS: Record<Outcome, string> = { passed: "ok     ", failed: "FAILED ", skipped: "FINDING " };

/** `ok   amplification of Cookie   0.31   (at most 1)` */
export function figureLine(figure: Figure): string {
  const { name, value, unit, atMost, atLeast, detail, knownFault } = figure;
  const outcome = outcomeOf(figure);
  const found = [...(detail === undefined ? [] : [detail]), ...(outcome === "skipped" ? [knownFault] : [])];
  const limits = [
    ...(atLeast === undefined ? [] : [`at least ${rounded(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${rounded(atMost)}`]),
  ];
  const shown = typeof value === "boolean" ? "" : `: ${rounded(value)}${unit === "" ? "" : ` ${unit}`}`;
  const beside = [...limits, ...found].join("; ");
  return `  ${WORDS[outcome]}${name}${shown}${beside === "" ? "" : `   (${beside})`}`;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
