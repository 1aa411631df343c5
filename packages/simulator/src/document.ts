import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

// docs/SIMULATION.md has a place for each row of the plan, between two marks; what stands around it is written by hand.

const DOCUMENT = new URL("../../../docs/SIMULATION.md", import.meta.url);

/** Puts a row's table in its place, with what it ran on and the trace hashes that name its runs. */
export function writeRow(name: string, table: string, traces: readonly string[]): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/SIMULATION.md has no place for ${name}: ${begin.trim()} and ${end}`);
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`;
  const named = traces.length > 5 ? `${traces.length} traces, the first ${traces[0]}` : `traces ${traces.join(", ")}`;
  const head = `${new Date().toISOString().slice(0, 10)}, ${machine}; ${named}:`;
  writeFileSync(DOCUMENT, `${text.slice(0, from)}${begin}\n${head}\n\n${table}\n${text.slice(to)}`);
}
