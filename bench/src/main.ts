import { cpus } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { describe, type Figure, median } from "./figure.ts";
import { firstChannel } from "./first-channel.ts";

// `npm run bench [-- NAME ...]`: measures, and says what it measured on.

const BENCHES = { "first-channel": firstChannel };
const isName = (name: string): name is keyof typeof BENCHES => name in BENCHES;

const command = new Command("npm run bench --")
  .description(`Measures the figures of docs/BENCHMARKS.md: ${Object.keys(BENCHES).join(", ")}`)
  .argument("[NAME...]", "which; all, unless told")
  .option("--json", "print JSON")
  .parse();
const json = command.opts().json === true;
const names = command.args.length > 0 ? command.args : Object.keys(BENCHES);

const figures: Figure[] = [];
for (const name of names) {
  if (!isName(name)) {
    process.stderr.write(`bench: no figure is called ${name}; there are: ${Object.keys(BENCHES).join(", ")}\n`);
    process.exit(2);
  }
  figures.push(...(await BENCHES[name]((done, of) => process.stderr.write(`\r${name} ${done}/${of} `))));
  process.stderr.write("\n");
}
const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
if (json) {
  const results = figures.map((figure) => ({ ...figure, median: median(figure.samples) }));
  process.stdout.write(`${JSON.stringify({ machine, figures: results })}\n`);
} else {
  process.stdout.write(`${machine.cores} x ${machine.cpu}, Node ${machine.node}\n`);
  for (const figure of figures) process.stdout.write(`${describe(figure)}\n`);
}
