// What tells one line from another, on white and on black: a colour and a shape, by their place in the legend.

const ON_WHITE = ["#c2410c", "#0b5fa5", "#15803d", "#7c3aed", "#8a6d00"];
const ON_BLACK = ["#ff9e64", "#6cb6ff", "#56d364", "#c4a7ff", "#e3c04a"];
const SHAPES = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
  "M-3.5 -3.5h7v7h-7z",
  "M0 -4.5L4.5 3.5h-9z",
  "M0 -5L5 0L0 5L-5 0z",
  "M-4.5 -3.5h9L0 4.5z",
];

/** The style of a sheet: one for white and, where the reader's system is dark, one for black. */
export const STYLE: string = `.paper{fill:#fff}text{fill:#24292f}.frame{fill:none;stroke:#8c959f}.grid{stroke:#e4e8ec;fill:none}
.strong{font-weight:600}.caption{fill:#57606a;font-size:11px}
.line{fill:none;stroke:currentColor;stroke-width:2}.range{fill:none;stroke:currentColor;opacity:.55}.mark{fill:currentColor}
${colours(ON_WHITE)}
@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}.frame{stroke:#6e7681}.grid{stroke:#262c34}.caption{fill:#9198a1}
${colours(ON_BLACK)}}`;

function colours(all: readonly string[]): string {
  return all.map((colour, number) => `.series${number}{color:${colour}}`).join("");
}

/** How many lines can be told apart. */
export const NAMES_MAX: number = SHAPES.length;

export function mark(number: number, x: number, y: number): string {
  return `<path class="mark" transform="translate(${x} ${y})" d="${SHAPES[number]}"/>`;
}

export function textAt(x: number, y: number, anchor: "start" | "middle" | "end", content: string, look = ""): string {
  const style = look === "" ? "" : ` class="${look}"`;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${style}>${escaped(content)}</text>`;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
