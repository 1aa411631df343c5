import { Command } from "@commander-js/extra-typings";
import { within } from "./deadline.ts";
import { isMet } from "./figure.ts";
import { removeAbandoned, removeOwn } from "./net/namespaces.ts";
import { compilePrograms, whyNot } from "./requirements.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { type Scenario, Trial } from "./trial.ts";

// `npm run test:lab [-- SCENARIO ...]`: one scenario after the other, each in a laboratory of its own. Progress goes to stderr,
// results to stdout, whose last line is `N passed, N failed[, N skipped]`.

const known = SCENARIOS.map(({ name }) => name).join(", ");
const program = new Command("npm run test:lab --")
  .description(`Real processes on bad networks: ${known}`)
  .argument("[SCENARIO...]", "which; all, unless told")
  .option("--seed <number>", "seed of everything that is drawn", (text) => Number.parseInt(text, 10), 1)
  .option("--long", "ten minutes where the short form takes one")
  .option("--json", "print JSON, a line a scenario")
  .parse();
const { seed, long: isLong = false, json: isJson = false } = program.opts();
if (!Number.isSafeInteger(seed)) fail("--seed takes a whole number");
for (const name of program.args) {
  if (!SCENARIOS.some((scenario) => scenario.name === name)) fail(`no scenario is called ${name}; there are: ${known}`);
}
const chosen = SCENARIOS.filter(({ name }) => program.args.length === 0 || program.args.includes(name));

function fail(message: string): never {
  process.stderr.write(`lab: ${message}\n`);
  process.exit(2);
}

function print(result: object, text: string): void {
  process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : `${text}\n`);
}

let running: Trial | undefined;
let isEnding = false;

/** Whatever ends this run ends its laboratories first. */
async function endBy(reason: string, code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  process.stderr.write(`lab: ${reason}; taking everything down\n`);
  await running?.close();
  await removeOwn();
  process.exit(code);
}
process.on("SIGINT", () => void endBy("interrupted", 130));
process.on("SIGTERM", () => void endBy("terminated", 143));
process.on("SIGHUP", () => void endBy("hung up", 129));
// The task's starter is gone, whatever ended it.
process.on("disconnect", () => void endBy("left alone", 1));
process.on("uncaughtException", (error) => void endBy(error.stack ?? error.message, 1));

type Counts = { readonly passed: number; readonly failed: number };
const NOTHING: Counts = { passed: 0, failed: 0 };

async function play(scenario: Scenario, programs: string): Promise<Counts> {
  process.stderr.write(`${scenario.name}: ${scenario.shows}\n`);
  const startedMs = performance.now();
  const trial = new Trial({ programs, seed, isLong, onProgress: (line) => process.stderr.write(`${line}\n`) });
  running = trial;
  const deadlineS = isLong ? (scenario.longDeadlineS ?? scenario.deadlineS) : scenario.deadlineS;
  let error: string | undefined;
  try {
    await within(deadlineS * 1_000, scenario.name, scenario.run(trial));
    if (trial.figures.length === 0) error = "it found out nothing";
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
    process.stderr.write(`  FAILED ${error}\n`);
  } finally {
    await trial.close();
  }
  if (isEnding) return NOTHING;
  const seconds = Number(((performance.now() - startedMs) / 1_000).toFixed(1));
  const figures = trial.figures.map((figure) => ({ ...figure, isMet: isMet(figure) }));
  const passed = figures.filter((figure) => figure.isMet).length;
  const failed = figures.length - passed + (error === undefined ? 0 : 1);
  const counts = { passed, failed };
  const ok = counts.failed === 0;
  print(
    { scenario: scenario.name, ok, seconds, seed, ...counts, figures, ...(error === undefined ? {} : { error }) },
    `${ok ? "ok    " : "FAILED"} ${scenario.name} ${seconds} s: ${passed} passed, ${failed} failed`,
  );
  return counts;
}

const reason = await whyNot();
if (reason !== undefined) {
  const skipped = chosen.length;
  print({ done: true, ...NOTHING, skipped, reason }, `skipped: ${reason}\n0 passed, 0 failed, ${skipped} skipped`);
  process.exit(0);
}
await removeAbandoned();
const programs = await compilePrograms();
let passed = 0;
let failed = 0;
for (const scenario of chosen) {
  const counts = await play(scenario, programs);
  if (isEnding) break;
  passed += counts.passed;
  failed += counts.failed;
}
if (!isEnding) {
  await removeOwn();
  print({ done: true, passed, failed }, `${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
