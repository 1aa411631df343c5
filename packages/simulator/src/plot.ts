// One kind of plot: how large a part of the values lies below x, a line for each seed, as an SVG that needs nothing else.

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 56;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 48;
const TICKS = 5;
const COLOURS = ["#1f6f8b", "#c8553d", "#588157", "#6d597a", "#b08900"];

export type Series = { readonly name: string /** At 0 %, 1 %, … 100 %. */; readonly quantiles: readonly number[] };

export function distributionPlot(title: string, unit: string, series: readonly Series[]): string {
  // The last per cent would press all others against the axis.
  const greatest = Math.max(...series.map(({ quantiles }) => quantiles.at(-2) ?? 0));
  const step = niceStep(greatest / TICKS);
  const most = Math.max(step, Math.ceil(greatest / step) * step);
  const x = (value: number) => LEFT + (Math.min(value, most) / most) * (WIDTH - LEFT - RIGHT);
  const y = (part: number) => HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
  const parts: string[] = [];
  for (let value = 0; value <= most + step / 2; value += step) {
    parts.push(`<path class="g" d="M${x(value)} ${y(0)}V${y(1)}"/>`);
    parts.push(text(x(value), HEIGHT - BOTTOM + 18, "middle", `${Number(value.toPrecision(6))}`));
  }
  for (let i = 0; i <= TICKS; i += 1) {
    parts.push(`<path class="g" d="M${x(0)} ${y(i / TICKS)}H${x(most)}"/>`);
    parts.push(text(LEFT - 8, y(i / TICKS) + 4, "end", `${(100 * i) / TICKS} %`));
  }
  for (const [i, { name, quantiles }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const points = quantiles.map((value, at) => `${x(value).toFixed(1)},${y(at / (quantiles.length - 1)).toFixed(1)}`);
    parts.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.join(" ")}"/>`);
    parts.push(
      `<text x="${WIDTH - RIGHT - 8}" y="${y(0) - 12 - 16 * i}" text-anchor="end" fill="${colour}">${name}</text>`,
    );
  }
  parts.push(text(LEFT, 22, "start", title), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "middle", unit));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<style>.g{stroke:#ccc;fill:none}text{fill:#333}</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, anchor: string, content: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}
