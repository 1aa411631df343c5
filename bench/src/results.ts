import { type Figure, isMet, median, row } from "./figure.ts";
import { type Growth, growthTable } from "./growth.ts";

// What a bench found out, as it is told: Markdown for people, JSON for programs.

export type Results = { readonly figures: readonly Figure[]; readonly growths: readonly Growth[] };

export const TABLE_HEAD = "| figure | target | measured |\n| --- | --- | --- |\n";

export function rows(figures: readonly Figure[]): string {
  return figures.map((figure) => `${row(figure)}\n`).join("");
}

/** With the median of each figure, and whether its target is met. */
export function forJson({ figures, growths }: Results): object {
  return {
    figures: figures.map((figure) => ({ ...figure, median: median(figure.samples), isMet: isMet(figure) })),
    growths,
  };
}

/** The table, then a table and a picture for each growth. `measuredOn` is the date and the machine. */
export function section(name: string, measuredOn: string, { figures, growths }: Results): string {
  const grown = growths.map((growth) => {
    const picture = `![${growth.title}](benchmarks/${pictureName(name, growth)})\n`;
    return `\n${growthTable(growth)}${growth.skipped === undefined ? `\n${picture}` : ""}`;
  });
  return `\n${measuredOn}:\n\n${TABLE_HEAD}${rows(figures)}${grown.join("")}\n`;
}

export function pictureName(name: string, growth: Growth): string {
  return `${name}-${growth.name}.svg`;
}

/** The text with this between the two marks of a bench. Throws where it has no place for it. */
export function between(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/BENCHMARKS.md has no place for ${name}: ${begin.trim()} and ${end}`);
  return `${text.slice(0, from)}${begin}${body}${text.slice(to)}`;
}
