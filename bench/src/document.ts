import { readFileSync, writeFileSync } from "node:fs";

// docs/BENCHMARKS.md has a place for each bench, between two marks; what stands around it is written by hand.

const DOCUMENT = new URL("../../docs/BENCHMARKS.md", import.meta.url);

/** Puts a bench's table in its place, with what it was measured on. */
export function writeResults(name: string, machine: string, table: string): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/BENCHMARKS.md has no place for ${name}: ${begin.trim()} and ${end}`);
  const date = new Date().toISOString().slice(0, 10);
  const written = `${text.slice(0, from)}${begin}\n${date}, ${machine}:\n\n${table}\n${text.slice(to)}`;
  writeFileSync(DOCUMENT, written);
}
