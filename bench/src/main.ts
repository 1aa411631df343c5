import { cpus } from "node:os";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { BENCHES, GROUPS, GROWTHS, type How, type Measure } from "./benches.ts";
import { writeResults } from "./document.ts";
import { growthTable } from "./growth.ts";
import { forJson, type Results, rows, TABLE_HEAD } from "./results.ts";

// `npm run bench [-- NAME ...]`: measures, and says what it measured on.

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("a number above 0");
  return value;
}

const known = [...Object.keys(BENCHES), ...Object.keys(GROUPS)].join(", ");
const command = new Command("npm run bench --")
  .description(`Measures the figures of docs/BENCHMARKS.md: ${known}`)
  .argument("[NAME...]", "which; all, unless told")
  .option("--json", "print JSON")
  .option("--messages <N>", "how many relay-heap forwards", positive)
  .option("--minutes <N>", "how long relay-kills goes on, or how long a page of dashboard is left alone", positive)
  .option("--write", "put tables and plots into docs/BENCHMARKS.md and docs/benchmarks as well")
  .parse();
const { messages, minutes } = command.opts();
const how: How = { ...(messages !== undefined && { messages }), ...(minutes !== undefined && { minutes }) };
const json = command.opts().json === true;
const asked = command.args.length > 0 ? command.args : Object.keys(BENCHES);

const measures: [string, Measure][] = asked
  .flatMap((name) => GROUPS[name] ?? [name])
  .map((name) => {
    const measure = BENCHES[name];
    if (measure === undefined) {
      process.stderr.write(`bench: no figure is called ${name}; there are: ${known}\n`);
      process.exit(2);
    }
    return [name, measure];
  });

const [cpu] = cpus();
const machine = { cpu: cpu?.model ?? "unknown", cores: cpus().length, node: process.version };
const machineName = `${machine.cores} x ${machine.cpu}, Node ${machine.node}`;
if (!json) process.stdout.write(`${machineName}\n\n${TABLE_HEAD}`);

const found: Results[] = [];
for (const [name, measure] of measures) {
  const progress = (done: number, of: number): void => void process.stderr.write(`\r${name} ${done}/${of} `);
  const figures = await measure(progress, how);
  process.stderr.write("\n");
  if (!json) process.stdout.write(rows(figures));
  const growths = (await GROWTHS[name]?.(progress)) ?? [];
  if (growths.length > 0) process.stderr.write("\n");
  found.push({ figures, growths });
  // What could not be measured here leaves the page as it was.
  const isMeasured = figures.some(({ skipped }) => skipped === undefined);
  if (command.opts().write === true && isMeasured) writeResults(name, machineName, { figures, growths });
}
const growths = found.flatMap((results) => results.growths);
if (json) {
  const figures = found.flatMap((results) => results.figures);
  process.stdout.write(`${JSON.stringify({ machine, ...forJson({ figures, growths }) })}\n`);
} else for (const growth of growths) process.stdout.write(`\n${growthTable(growth)}`);
