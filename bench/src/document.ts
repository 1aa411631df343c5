import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { drawSheet } from "@starling/plot";
import { growthSheet } from "./growth.ts";
import { between, forJson, pictureName, type Results, section } from "./results.ts";

// docs/BENCHMARKS.md has a place for each bench, between two marks; what stands around it is written by hand. docs/benchmarks has all
// samples as JSON, and the pictures.

const DOCUMENT = new URL("../../docs/BENCHMARKS.md", import.meta.url);
const FOLDER = new URL("../../docs/benchmarks/", import.meta.url);

/** Puts a bench's tables in their place, with what they were measured on, its samples and its pictures beside them. */
export function writeResults(name: string, machine: string, results: Results): void {
  const date = new Date().toISOString().slice(0, 10);
  const measuredOn = `${date}, ${machine}`;
  // First, so that a bench without a place leaves no file.
  writeFileSync(DOCUMENT, between(readFileSync(DOCUMENT, "utf8"), name, section(name, measuredOn, results)));
  mkdirSync(FOLDER, { recursive: true });
  const json = JSON.stringify({ date, machine, ...forJson(results) }, null, 2);
  writeFileSync(new URL(`${name}.json`, FOLDER), `${json}\n`);
  for (const growth of results.growths) {
    const picture = new URL(pictureName(name, growth), FOLDER);
    if (growth.skipped === undefined) writeFileSync(picture, drawSheet(growthSheet(growth, measuredOn)));
    else rmSync(picture, { force: true });
  }
}
