import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import { clock } from "./format.ts";

export type Line = { readonly label: string; readonly colour: string };

type Props = {
  readonly title: string;
  /** Times in seconds, then a row for each line. */
  readonly rows: (number | null)[][];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
};

const HEIGHT_PX = 120;
const WINDOW_SECONDS = 600;
/** A page that was just opened does not show ten empty minutes. */
const LEAST_SECONDS = 60;

/** The last ten minutes of some values. */
export function Plot({ title, rows, lines, format }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const paint = (): void => {
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(element, lines, format), dataOf(plot.current?.data ?? [[]]), element);
    };
    paint();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    // The axes take their colours once.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", paint);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", paint);
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(rows)), [rows]);
  const latest = lines.map(({ label }, i) => {
    const value = rows[i + 1]?.at(-1);
    return `${label} ${value === null || value === undefined ? "–" : format(value)}`;
  });
  return (
    <section class="plot" aria-label={`${title}: ${latest.join(", ")}`}>
      <header>
        <h3>{title}</h3>
        <span class="latest">
          {lines.map(({ label, colour }, i) => (
            <span key={label} class={`key ${colour}`}>
              {latest[i]}
            </span>
          ))}
        </span>
      </header>
      <div ref={holder} aria-hidden="true" />
    </section>
  );
}

function dataOf(rows: readonly unknown[]): UPlot.AlignedData {
  return rows as UPlot.AlignedData;
}

function optionsOf(element: Element, lines: readonly Line[], format: (value: number) => string): UPlot.Options {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: of("faint"),
    grid: { stroke: of("grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  const values = (_plot: UPlot, ticks: number[]): string[] => ticks.map(format);
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: {
        time: true,
        range: (_plot, min, max) => [Math.max(max - WINDOW_SECONDS, Math.min(min, max - LEAST_SECONDS)), max],
      },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] },
    },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: (_plot, ticks) => ticks.map((at) => clock(at * 1000)),
      },
      { ...axis, size: 62, space: 28, values },
    ],
    series: [{}, ...lines.map(({ label, colour }) => ({ label, stroke: of(colour), width: 1.6, spanGaps: false }))],
  };
}
