import { scaleLinear, scaleLog } from "d3-scale";

const LINEAR_TICKS = 5;
const LOG_TICKS = 6;
/** A point at the end of a logarithmic axis does not lie on its frame. */
const LOG_MARGIN = 1.25;

export type Axis = {
  /** With the unit: "latency, ms". */
  readonly label: string;
  /** Values at and below 0 have no place on it then. A linear axis begins at 0. */
  readonly isLog?: boolean;
  /** Those that are written beside it; round ones, unless told. */
  readonly ticks?: readonly number[];
  /** Its ends, where it is to go on beyond what was measured. */
  readonly from?: number;
  readonly to?: number;
  /** Written behind each number: " %". */
  readonly suffix?: string;
};

export type Scale = {
  /** Where a value lies, in pixels. */
  at(value: number): number;
  /** A line each; those without a label are the small steps of a logarithmic axis. */
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
};

/** An axis between two pixels, with room for `values`. */
export function scaleOf(axis: Axis, values: readonly number[], pixels: readonly [number, number]): Scale {
  const drawable = values.filter((value) => isDrawable(axis, value));
  const least = axis.from ?? (axis.isLog ? Math.min(...drawable) / LOG_MARGIN : Math.min(0, ...drawable));
  const most = axis.to ?? Math.max(...drawable) * (axis.isLog ? LOG_MARGIN : 1);
  if (axis.isLog) {
    const scale = scaleLog([least, most], pixels);
    const isWritten = scale.tickFormat(LOG_TICKS, ",");
    return {
      at: scale,
      ticks: (axis.ticks ?? scale.ticks(LOG_TICKS)).map((value) => ({
        value,
        label: axis.ticks !== undefined || isWritten(value) !== "" ? label(axis, value) : "",
      })),
    };
  }
  const scale = scaleLinear([least, most > least ? most : least + 1], pixels);
  if (axis.to === undefined) scale.nice(LINEAR_TICKS);
  const ticks = axis.ticks ?? scale.ticks(LINEAR_TICKS);
  return { at: scale, ticks: ticks.map((value) => ({ value, label: label(axis, value) })) };
}

export function isDrawable({ isLog }: Axis, value: number): boolean {
  return Number.isFinite(value) && (isLog !== true || value > 0);
}

function label({ suffix = "" }: Axis, value: number): string {
  return `${value.toLocaleString("en-US", { maximumSignificantDigits: 6 })}${suffix}`;
}
