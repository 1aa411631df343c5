import { Mutator, seedFor } from "./mutator.mjs";

// One target: {name, corpus, maxBytes?, run}. `run(bytes)` says whether the input was taken; it throws where that breaks a promise.

const SLOW_MS = 5;

/** Runs a target and reports it: {name, runs, accepted, slowestMs, ms, failure?}. `note` is told of each input before it runs. */
export function fuzzTarget(target, { seed, runs, note }) {
  const mutator = new Mutator(target.corpus, seedFor(seed, target.name), target.maxBytes ?? 2048);
  const report = { name: target.name, runs: 0, accepted: 0, slowestMs: 0, ms: 0 };
  const started = performance.now();
  const failed = (failure) => ({ ...report, ms: performance.now() - started, failure: { ...failure, seed } });
  if (target.corpus.length === 0) return failed({ what: "there is no corpus", input: "", run: -1 });
  for (const good of target.corpus) {
    const { taken, failure } = judge(target, good.slice(), report);
    if (failure !== undefined) return failed({ ...failure, run: -1 });
    if (!taken) return failed({ what: "an input of the corpus is refused", input: hex(good), run: -1 });
  }
  for (let run = 0; run < runs; run += 1) {
    const input = mutator.next();
    note(run, input);
    const { taken, failure } = judge(target, input, report);
    if (failure !== undefined) return failed({ ...failure, run });
    if (!taken) continue;
    report.accepted += 1;
    mutator.keep(input);
  }
  return { ...report, ms: performance.now() - started };
}

const TAKEN = { taken: true };
const REFUSED = { taken: false };

/** Runs one input, and says what is wrong with it, if anything is. */
function judge(target, input, report) {
  try {
    const started = performance.now();
    const taken = target.run(input);
    const tookMs = performance.now() - started;
    const ms = tookMs > SLOW_MS ? again(target, input) : tookMs;
    report.runs += 1;
    if (ms > report.slowestMs) report.slowestMs = ms;
    if (ms > SLOW_MS) return { failure: { what: `took ${ms.toFixed(1)} ms`, input: hex(input) } };
    return taken ? TAKEN : REFUSED;
  } catch (error) {
    return { failure: { what: String(error?.stack ?? error), input: hex(input) } };
  }
}

/** The machine may have been busy elsewhere: the best of some tries, by this thread's own time where Node tells it, is the input's. */
function again(target, input) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i += 1) {
    const before = threadMs();
    target.run(input);
    best = Math.min(best, threadMs() - before);
  }
  return best;
}

function threadMs() {
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export function hex(bytes) {
  return Buffer.from(bytes).toString("hex");
}
