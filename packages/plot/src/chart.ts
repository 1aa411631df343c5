import { type Axis, isDrawable, type Scale, scaleOf } from "./axis.ts";
import { mark, textAt } from "./marks.ts";

export type { Axis };

export type Point = {
  readonly x: number;
  readonly y: number;
  /** The least and the greatest that were measured there: a bar through the point. */
  readonly range?: readonly [number, number];
};

export type Line = {
  /** Lines of one name have one colour on the whole sheet, and one entry in its legend. */
  readonly name: string;
  readonly points: readonly Point[];
  /** Marked points with a line through them, unless told. */
  readonly look?: "points" | "line" | "dashed";
};

export type Chart = { readonly x: Axis; readonly y: Axis; readonly lines: readonly Line[] };

const LEFT = 64;
const RIGHT = 24;
const TOP = 30;
const BOTTOM = 42;
/** Between the frame and the outermost points. */
const INSET = 12;
const CAP = 3;

/** A chart whose upper left corner is 0, 0; `numberOf` is the place of a line's name in the legend. */
export function drawChart(chart: Chart, width: number, height: number, numberOf: (name: string) => number): string {
  const { x, y, lines } = chart;
  const points = lines.flatMap((line) => line.points);
  const [left, right, top, bottom] = [LEFT, width - RIGHT, TOP, height - BOTTOM];
  const values = points.flatMap((point) => [point.y, ...(point.range ?? [])]);
  const across = scaleOf(
    x,
    points.map((point) => point.x),
    [left + INSET, right - INSET],
  );
  const up = scaleOf(y, values, [bottom, top + INSET / 2]);
  const parts = [
    textAt(left, top - 10, "start", y.label, "strong"),
    textAt((left + right) / 2, height - 6, "middle", x.label),
  ];
  for (const { value, label } of across.ticks) {
    parts.push(`<path class="grid" d="M${round(across.at(value))} ${top}V${bottom}"/>`);
    if (label !== "") parts.push(textAt(round(across.at(value)), bottom + 16, "middle", label));
  }
  for (const { value, label } of up.ticks) {
    parts.push(`<path class="grid" d="M${left} ${round(up.at(value))}H${right}"/>`);
    if (label !== "") parts.push(textAt(left - 7, round(up.at(value)) + 4, "end", label));
  }
  parts.push(`<rect class="frame" x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`);
  for (const line of lines) {
    const drawn = line.points.filter((point) => isDrawable(x, point.x) && isDrawable(y, point.y));
    parts.push(drawLine({ ...line, points: drawn }, across, up, chart, numberOf(line.name)));
  }
  return parts.join("\n");
}

function drawLine({ points, look }: Line, across: Scale, up: Scale, { y }: Chart, number: number): string {
  const at = (point: Point): [number, number] => [round(across.at(point.x)), round(up.at(point.y))];
  const parts: string[] = [];
  if (look !== "points" && points.length > 1) {
    const dashes = look === "dashed" ? ' stroke-dasharray="5 4"' : "";
    parts.push(`<polyline class="line"${dashes} points="${points.map((point) => at(point).join(",")).join(" ")}"/>`);
  }
  if (look === undefined || look === "points") {
    for (const point of points) {
      const [px, py] = at(point);
      const [low, high] = point.range ?? [point.y, point.y];
      if (low < high && isDrawable(y, low)) {
        const ends = [low, high].map((value) => `M${px - CAP} ${round(up.at(value))}h${2 * CAP}`).join("");
        parts.push(`<path class="range" d="M${px} ${round(up.at(low))}V${round(up.at(high))}${ends}"/>`);
      }
      parts.push(mark(number, px, py));
    }
  }
  return `<g class="series${number}">${parts.join("")}</g>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
