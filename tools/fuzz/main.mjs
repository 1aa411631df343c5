// `npm run fuzz [-- --seed N] [--total N] [--each N] [--target NAME] [--json]`: every decoder, fed with mutants of good inputs.
// `-- --target NAME --input HEX` runs one input again. Targets are what packages/*/test/fuzz-targets.ts exports as `targets`; they
// run in a worker, so that an input that never ends is still told of.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { hex } from "./fuzz-target.mjs";
import { inputInHand, sharedInput } from "./shared-input.mjs";
import { loadTargets } from "./targets.mjs";

const HANG_MS = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    total: { type: "string", default: "20000000" },
    each: { type: "string", default: "500000" },
    target: { type: "string", multiple: true },
    input: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const targets = await loadTargets(values.target);
if (targets.length === 0) {
  const known = (await loadTargets(undefined)).map(({ name }) => name).join("\n  ");
  process.stderr.write(`fuzz: no target is called ${values.target}; there are:\n  ${known}\n`);
  process.exit(2);
}

if (values.input !== undefined) {
  for (const target of targets) {
    const taken = target.run(new Uint8Array(Buffer.from(values.input, "hex")));
    process.stdout.write(`${target.name}: ${taken ? "taken" : "refused"}\n`);
  }
  process.exit(0);
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const runs = Math.max(Number(values.each), Math.ceil(Number(values.total) / targets.length));
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs)) {
  process.stderr.write("fuzz: --seed, --total and --each are integers\n");
  process.exit(2);
}
process.stderr.write(`fuzz: seed ${seed}, ${targets.length} targets, ${runs} runs each\n`);

const reports = [];
let current = "";
let last = { count: -1, sinceMs: 0 };
const shared = sharedInput();
const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
  workerData: { seed, runs, names: values.target, shared },
});
worker.on("message", ({ begins, report }) => {
  if (begins !== undefined) {
    current = begins;
    last = { count: -1, sinceMs: performance.now() };
    if (process.stderr.isTTY) process.stderr.write(`${reports.length + 1}/${targets.length} ${current}`);
    return;
  }
  reports.push(report);
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  process.stderr.write(`${line(report)}\n`);
});
worker.on("error", (error) => {
  throw error;
});
worker.on("exit", finish);
const watch = setInterval(() => {
  const { count, input } = inputInHand(shared);
  if (process.stderr.isTTY) process.stderr.write(`\r${reports.length + 1}/${targets.length} ${current} ${count} `);
  if (count !== last.count) last = { count, sinceMs: performance.now() };
  if (current === "" || performance.now() - last.sinceMs < HANG_MS) return;
  const failure = { what: `no end within ${HANG_MS} ms`, input: hex(input), seed, run: count };
  reports.push({ name: current, runs: count, failure });
  process.stderr.write(`${line(reports.at(-1))}\n`);
  void worker.terminate();
}, 1000);

function finish() {
  clearInterval(watch);
  const failures = reports.filter(({ failure }) => failure !== undefined);
  const total = reports.reduce((sum, report) => sum + report.runs, 0);
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, total, targets: reports })}\n`);
  else process.stdout.write(`${total} runs of ${reports.length} targets, seed ${seed}: ${failures.length} failed\n`);
  process.exitCode = failures.length === 0 && reports.length === targets.length ? 0 : 1;
}

function line({ name, runs: done, accepted, slowestMs, ms, failure }) {
  if (failure !== undefined) {
    const replay = `npm run fuzz -- --target "${name}" --input ${failure.input}`;
    return `FAILED ${name}, seed ${failure.seed}, run ${failure.run}: ${failure.what}\n  ${replay}`;
  }
  const share = ((100 * accepted) / Math.max(1, done)).toFixed(0);
  const perRun = ((1000 * ms) / Math.max(1, done)).toFixed(2);
  return `ok ${name}: ${done} runs, ${share} % taken, ${perRun} us each, slowest ${slowestMs.toFixed(2)} ms`;
}
