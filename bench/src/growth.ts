import type { Axis, Chart, Sheet } from "@starling/plot";
import { median, number } from "./figure.ts";

// How figures grow with one parameter: as measured, as a table, and as what is to be drawn.

export type Growth = {
  /** Tells its picture from the others of the same bench: "size". */
  readonly name: string;
  /** "Through a relay, by the size of a message". */
  readonly title: string;
  readonly over: Parameter;
  readonly charts: readonly Grown[];
  /** Versions and conditions, to stand under the picture. */
  readonly note: string;
  /** Why it could not be measured here; there are no charts then. */
  readonly skipped?: string;
};

export type Parameter = {
  readonly label: string;
  /** Of its values, "B"; "" where they are numbers of something. */
  readonly unit: string;
  readonly isLog: boolean;
  readonly values: readonly number[];
};

export type Grown = {
  readonly name: string;
  readonly unit: string;
  /** The first is whom the others are beside. */
  readonly sides: readonly Side[];
};

export type Side = {
  readonly name: string;
  /** For each value of the parameter, one number a round. */
  readonly samples: readonly (readonly number[])[];
};

/** An axis is logarithmic from here on, greatest over least. */
const DECADE = 10;

/** Markdown: a row for each side of each chart, medians, and in brackets how many times the first side's. */
export function growthTable({ title, over, charts, skipped }: Growth): string {
  if (skipped !== undefined) return `${title}: not measured: ${skipped}\n`;
  const lines = [
    `| ${title} | ${over.values.map((value) => withUnit(value, over.unit)).join(" | ")} |`,
    `| --- |${" --- |".repeat(over.values.length)}`,
  ];
  for (const { name, unit, sides } of charts) {
    const [peer] = sides;
    for (const side of sides) {
      const cells = side.samples.map((samples, i) => {
        const ratio = side === peer ? "" : ` (${number(ratioOf(samples, peer?.samples[i] ?? []))} x)`;
        return `${withUnit(median(samples), unit)}${ratio}`;
      });
      lines.push(`| ${name}: ${side.name} | ${cells.join(" | ")} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Medians with the least and the greatest of the rounds. `machine` is what it was measured on, and when. */
export function growthSheet({ title, over, charts, note }: Growth, machine: string): Sheet {
  const rounds = charts[0]?.sides[0]?.samples[0]?.length ?? 0;
  const unit = over.unit === "" ? "" : `, ${over.unit}`;
  return {
    title,
    charts: charts.map((chart) => growthChart(chart, over, `${over.label}${unit}`)),
    caption: [note, `Medians of ${rounds} rounds; bars from the least to the greatest of them. ${machine}`],
  };
}

function growthChart({ name, unit, sides }: Grown, over: Parameter, label: string): Chart {
  const measured = sides.flatMap(({ samples }) => samples.flat()).filter(Number.isFinite);
  const least = Math.min(...measured);
  const isLog = least > 0 && Math.max(...measured) >= DECADE * least;
  const x: Axis = { label, isLog: over.isLog, ticks: over.values };
  const y: Axis = { label: unit === "" ? name : `${name}, ${unit}`, isLog };
  const lines = sides.map((side) => ({
    name: side.name,
    points: over.values.map((value, i) => pointOf(value, side.samples[i] ?? [])),
  }));
  return { x, y, lines };
}

function pointOf(x: number, samples: readonly number[]): Chart["lines"][number]["points"][number] {
  return { x, y: median(samples), range: [Math.min(...samples), Math.max(...samples)] };
}

/** The median of what was measured in the same round. */
function ratioOf(ours: readonly number[], peer: readonly number[]): number {
  return median(ours.map((sample, round) => sample / (peer[round] ?? Number.NaN)));
}

function withUnit(value: number, unit: string): string {
  return unit === "" ? number(value) : `${number(value)} ${unit}`;
}
