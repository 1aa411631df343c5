import { readFileSync, writeFileSync } from "node:fs";

const DOCUMENT = new URL("../../docs/SECURITY.md", import.meta.url);
const BEGIN = "<!-- attacks -->\n";
const END = "<!-- end of attacks -->";

/** Puts the table in its place in docs/SECURITY.md, with what it was measured on. */
export function writeTable(machine: string, table: string): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/SECURITY.md has no place for the table: ${BEGIN.trim()} and ${END}`);
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(DOCUMENT, `${text.slice(0, from)}${BEGIN}\n${date}, ${machine}:\n\n${table}\n${text.slice(to)}`);
}
