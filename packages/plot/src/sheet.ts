import { type Chart, drawChart } from "./chart.ts";
import { escaped, mark, NAMES_MAX, STYLE, textAt } from "./marks.ts";

/** Charts beside one another, with one legend for all. */
export type Sheet = {
  readonly title: string;
  readonly charts: readonly Chart[];
  /** Under them, a paragraph each: on what it was measured, beside which versions. */
  readonly caption?: readonly string[];
};

const CHART_WIDTH = 420;
/** Of one that stands alone. */
const WIDE = 640;
const CHART_HEIGHT = 270;
const MARGIN = 14;
const ROW = 20;
const CAPTION_ROW = 16;
const KEY = 34;
const GAP = 18;
/** No font is at hand to measure with: about what a letter takes, and a small one. */
const LETTER = 6.6;
const SMALL_LETTER = 5.8;

/**
 * One SVG that needs nothing else: no font, no script, no style sheet; light or dark as the reader's system is. Throws a RangeError
 * where there are more names than can be told apart.
 */
export function drawSheet({ title, charts, caption = [] }: Sheet): string {
  const names = [...new Set(charts.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  if (names.length > NAMES_MAX) throw new RangeError(`a sheet has at most ${NAMES_MAX} names, got ${names.length}`);
  const columns = Math.min(2, charts.length);
  const chartWidth = columns === 1 ? WIDE : CHART_WIDTH;
  const width = columns * chartWidth;
  const legend = drawLegend(names, width);
  const top = MARGIN + ROW + legend.height;
  const rows = Math.ceil(charts.length / columns);
  const lines = caption.flatMap((paragraph) => wrap(paragraph, Math.floor((width - 2 * MARGIN) / SMALL_LETTER)));
  const height = top + rows * CHART_HEIGHT + lines.length * CAPTION_ROW + MARGIN;
  const parts = charts.map((chart, i) => {
    const [x, y] = [(i % columns) * chartWidth, top + Math.floor(i / columns) * CHART_HEIGHT];
    const drawn = drawChart(chart, chartWidth, CHART_HEIGHT, (name) => names.indexOf(name));
    return `<g transform="translate(${x} ${y})">\n${drawn}\n</g>`;
  });
  const under = top + rows * CHART_HEIGHT + CAPTION_ROW;
  parts.push(...lines.map((line, i) => textAt(MARGIN, under + i * CAPTION_ROW, "start", line, "caption")));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}" rx="6"/>
${textAt(MARGIN, MARGIN + 12, "start", title, "strong")}
${legend.drawn}
${parts.join("\n")}
</svg>
`;
}

function drawLegend(names: readonly string[], width: number): { readonly drawn: string; readonly height: number } {
  let [x, row] = [MARGIN, 0];
  const entries = names.map((name, number) => {
    const size = KEY + name.length * LETTER + GAP;
    if (x > MARGIN && x + size > width) [x, row] = [MARGIN, row + 1];
    const y = MARGIN + ROW + row * ROW + 14;
    const key = `<path class="line" d="M${x} ${y - 4}h26"/>${mark(number, x + 13, y - 4)}`;
    const entry = `<g class="series${number}">${key}</g>${textAt(x + KEY, y, "start", name)}`;
    x += size;
    return entry;
  });
  return { drawn: entries.join("\n"), height: (row + 1) * ROW };
}

/** Lines of at most so many letters, broken between words. */
function wrap(paragraph: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= letters) lines.splice(-1, 1, `${line} ${word}`);
    else lines.push(word);
  }
  return lines;
}
