import { cpus } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { systemRandom } from "@starling/crypto-identity";
import type { Target } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import { writeTable } from "./document.ts";
import { startNetwork } from "./network.ts";
import { type Result, runAttack } from "./run-attack.ts";
import { HEAD, rows } from "./table.ts";
import { readTarget } from "./target-address.ts";
import { warmUp } from "./warm-up.ts";

// `npm run hostile [-- ATTACK ...]`: attacks a relay and a node of its own, or those that --target names, while two honest nodes go on
// talking over it, and says what survived. Progress goes to stderr; exit 1 when a limit was broken.

const known = ATTACKS.map(({ name }) => name).join(", ");
const program = new Command("npm run hostile --")
  .description(`Attacks a relay and a node: ${known}`)
  .argument("[ATTACK...]", "which; all, unless told")
  .option("--target <ip:port>", "a relay or node of yours, on loopback or in a laboratory; unless told, one is started")
  .option("--id <id>", "the target's id")
  .option("--network <name>", "the target's network", "hostile")
  .option("--seconds <number>", "how long what goes on at a rate goes on", Number, 3)
  .option("--json", "print JSON, a line an attack")
  .option("--write", "put the table into docs/SECURITY.md as well")
  .parse();
const options = program.opts();
const chosen = ATTACKS.filter(({ name }) => program.args.length === 0 || program.args.includes(name));

function fail(message: string): never {
  process.stderr.write(`hostile: ${message}\n`);
  process.exit(2);
}

for (const name of program.args) {
  if (!ATTACKS.some((attack) => attack.name === name)) fail(`no attack is called ${name}; there are: ${known}`);
}
if (!(options.seconds >= 1 && options.seconds <= 600)) fail("--seconds takes a number from 1 to 600");
let foreign: Target | undefined;
if (options.target !== undefined) {
  const read = readTarget(options.target, options.id);
  if (typeof read === "string") fail(read);
  foreign = read;
}

process.stderr.write("hostile: starting a network\n");
const network = await startNetwork(options.network, foreign);
let isEnding = false;
async function endBy(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await network.stop();
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void endBy(130));
// The task's starter is gone, whatever ended it.
process.on("disconnect", () => void endBy(1));
process.channel?.unref();

const [cpu] = cpus();
const machine = `${cpus().length} x ${cpu?.model ?? "unknown"}, Node ${process.version}`;
const isJson = options.json === true;
if (!isJson) process.stdout.write(`${machine}\n\n${HEAD}`);
const results: Result[] = [];
let broken = 0;
try {
  await network.pair.talk(warmUp(network.target, options.network));
  for (const attack of chosen) {
    process.stderr.write(`${attack.name}: ${attack.does}\n`);
    const result = await runAttack(attack, {
      ...network,
      network: options.network,
      seconds: options.seconds,
      random: systemRandom,
    });
    results.push(result);
    if (!result.isKept) broken += 1;
    const verdict = result.isKept ? "kept" : "BROKEN";
    const note = result.note === undefined ? "" : `; ${result.note}`;
    process.stderr.write(`  ${verdict} ${result.seconds.toFixed(1)} s${note}\n`);
    process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : rows(result));
  }
  if (options.write === true) writeTable(machine, `${HEAD}${results.map(rows).join("")}`);
} catch (error) {
  process.stderr.write(`hostile: ${error instanceof Error ? error.stack : String(error)}\n`);
  broken += 1;
}
if (!isJson) process.stdout.write(`\n${results.length - broken} kept, ${broken} broken\n`);
await endBy(broken === 0 ? 0 : 1);
