/** One thing that a scenario found out, beside what it must be. */
export type Figure = {
  readonly name: string;
  /** A number, or for what is or is not, true or false. */
  readonly value: number | boolean;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly detail?: string;
};

export function isMet({ value, atMost, atLeast }: Figure): boolean {
  if (typeof value === "boolean") return value;
  return value <= (atMost ?? Number.POSITIVE_INFINITY) && value >= (atLeast ?? Number.NEGATIVE_INFINITY);
}

/** `ok   amplification of Cookie   0.31   (at most 1)` */
export function figureLine(figure: Figure): string {
  const { name, value, unit, atMost, atLeast, detail } = figure;
  const limits = [
    ...(atLeast === undefined ? [] : [`at least ${rounded(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${rounded(atMost)}`]),
  ];
  const shown = typeof value === "boolean" ? "" : `: ${rounded(value)}${unit === "" ? "" : ` ${unit}`}`;
  const beside = [...limits, ...(detail === undefined ? [] : [detail])].join("; ");
  return `  ${isMet(figure) ? "ok     " : "FAILED "}${name}${shown}${beside === "" ? "" : `   (${beside})`}`;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
