// A picture of what a program printed: `script -qec "npm start -- --once" OUT; node tools/terminal-picture.mjs < OUT > PICTURE.svg`.
// Knows the colours that `npm start` uses. What comes before its first step, and tokens, are left out.
import { readFileSync } from "node:fs";

const CELL = { width: 8.43, height: 20 };
const MARGIN = 24;
const BAR = 36;
const COLOURS = { 0: "#d7dce2", 2: "#7d8794", 31: "#ff7b72", 32: "#56d364" };
const ESCAPE = String.fromCharCode(27);

// Not every viewer keeps runs of spaces.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(" ", "\u00a0");
const printed = readFileSync(0, "utf8").replaceAll("\r", "");
const lines = printed
  .slice(printed.search(/^.* \d+\.\d\d s /m))
  .split("\n")
  // npm's spinner writes over itself: what stands behind the last erasure is what a person sees.
  .map((line) => line.slice(line.lastIndexOf(`${ESCAPE}[0K`) < 0 ? 0 : line.lastIndexOf(`${ESCAPE}[0K`) + 4))
  .map((line) => line.replace(/#token=\w+/, "#token=…"))
  .filter((line) => !line.startsWith("Script done"));
while (lines.at(-1)?.trim() === "") lines.pop();

/** Spans of one colour each. */
function spans(line) {
  let colour = COLOURS[0];
  return line.split(new RegExp(`${ESCAPE}\\[(\\d+)m`)).map((part, i) => {
    if (i % 2 === 0) return part === "" ? "" : `<tspan fill="${colour}">${escaped(part)}</tspan>`;
    colour = COLOURS[part] ?? COLOURS[0];
    return "";
  });
}
const visible = (line) => line.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), "");
const columns = Math.max(...lines.map((line) => [...visible(line)].length));
const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
const height = BAR + lines.length * CELL.height + MARGIN + 8;
const rows = lines.map(
  (line, i) => `<text x="${MARGIN}" y="${BAR + 22 + i * CELL.height}">${spans(line).join("")}</text>`,
);
const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
  (fill, i) => `<circle cx="${MARGIN + i * 20}" cy="20" r="6" fill="${fill}"/>`,
);
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>What npm start prints: every step of a network of four processes, with its time</title>
<rect width="${width}" height="${height}" rx="10" fill="#14181d"/>
${dots.join("")}
<text x="${width / 2}" y="24" text-anchor="middle" fill="#7d8794" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">$ npm start</text>
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${rows.join("\n")}
</g>
</svg>
`);
