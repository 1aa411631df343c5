import { expect, test } from "@jest/globals";
import { type Chart, drawSheet } from "@starling/plot";

const GROWTH: Chart = {
  x: { label: "size, B", isLog: true, ticks: [100, 1_000, 10_000] },
  y: { label: "latency, ms", isLog: true },
  lines: [
    {
      name: "theirs",
      points: [
        { x: 100, y: 10, range: [8, 20] },
        { x: 1_000, y: 100 },
        { x: 10_000, y: 1_000 },
      ],
    },
    { name: "ours & <stamps>", points: [{ x: 100, y: 30 }] },
  ],
};

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Where the marks of a series stand. */
function marksOf(svg: string, number: number): [number, number][] {
  // The first group of a series is its entry in the legend.
  const [, ...groups] = svg.split(`<g class="series${number}">`).slice(1);
  const marks = groups
    .map((group) => group.slice(0, group.indexOf("</g>")))
    .flatMap((group) => [...group.matchAll(/class="mark" transform="translate\(([\d.]+) ([\d.]+)\)"/g)]);
  return marks.map(([, x, y]) => [Number(x), Number(y)]);
}

const tickAt = (svg: string, label: string): number => {
  const [, x] = new RegExp(`<text x="([\\d.]+)" y="[\\d.]+" text-anchor="middle">${label}</text>`).exec(svg) ?? [];
  return Number(x);
};

test("points stand over their ticks, and a decade is as long as the next", () => {
  const svg = drawSheet({ title: "a title", charts: [GROWTH] });
  const marks = marksOf(svg, 0);
  expect(marks.map(([x]) => x)).toEqual(["100", "1,000", "10,000"].map((label) => tickAt(svg, label)));
  const [first, second, third] = marks.map(([, y]) => y) as [number, number, number];
  expect(first).toBeGreaterThan(second);
  expect(first - second).toBeCloseTo(second - third, 0);
});

test("a linear axis begins at 0, and equal steps are equally long", () => {
  const points = [0, 5, 10].map((x) => ({ x, y: 2 * x }));
  const chart = { x: { label: "loss, %" }, y: { label: "ms" }, lines: [{ name: "one", points }] };
  const svg = drawSheet({ title: "t", charts: [chart] });
  const [first, second, third] = marksOf(svg, 0) as [[number, number], [number, number], [number, number]];
  expect(second[0] - first[0]).toBeCloseTo(third[0] - second[0], 0);
  expect(first[1] - second[1]).toBeCloseTo(second[1] - third[1], 0);
  expect(svg).toContain(`<text x="57" y="${first[1] + 4}" text-anchor="end">0</text>`);
});

test("what a logarithmic axis has no place for is left out", () => {
  const lines = [{ name: "one", points: [0, Number.NaN, 10, 20].map((y, i) => ({ x: 100 * (i + 1), y })) }];
  const svg = drawSheet({ title: "t", charts: [{ ...GROWTH, lines }] });
  expect(marksOf(svg, 0)).toHaveLength(2);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test("a range is a bar, and only where there is one", () => {
  expect(count(drawSheet({ title: "t", charts: [GROWTH] }), '<path class="range"')).toBe(1);
});

test("a name stands in the legend once, however many charts it is in, and text is text", () => {
  const svg = drawSheet({ title: "a < b", charts: [GROWTH, GROWTH, GROWTH], caption: ["libp2p 3.3.11"] });
  expect(count(svg, ">theirs</text>")).toBe(1);
  expect(count(svg, ">ours &amp; &lt;stamps&gt;</text>")).toBe(1);
  expect(count(svg, ">latency, ms</text>")).toBe(3);
  expect(svg).toContain("<title>a &lt; b</title>");
  expect(svg).toContain(">libp2p 3.3.11</text>");
});

test("a caption that is too long goes on in the next line, and the sheet is higher by that", () => {
  const heightOf = (svg: string): number => Number(/ height="(\d+)"/.exec(svg)?.[1]);
  const long = "word ".repeat(60).trim();
  const [one, more] = ["short", long].map((line) => drawSheet({ title: "t", charts: [GROWTH], caption: [line] })) as [
    string,
    string,
  ];
  const lines = [...more.matchAll(/class="caption">([^<]*)</g)].map(([, line]) => line);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join(" ")).toBe(long);
  expect(heightOf(more) - heightOf(one)).toBe(16 * (lines.length - 1));
});

test("colours for white and for black, each series in both", () => {
  const svg = drawSheet({ title: "t", charts: [GROWTH] });
  const [white = "", black = ""] = svg.split("@media(prefers-color-scheme:dark)");
  for (const half of [white, black]) expect(half).toMatch(/\.series1\{color:#[0-9a-f]{6}\}/);
});

test("more names than can be told apart are refused", () => {
  const lines = Array.from({ length: 6 }, (_, i) => ({ name: `line ${i}`, points: [] }));
  expect(() => drawSheet({ title: "t", charts: [{ ...GROWTH, lines }] })).toThrow(RangeError);
});
