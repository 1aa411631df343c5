import { parentPort, workerData } from "node:worker_threads";
import { fuzzTarget } from "./fuzz-target.mjs";
import { inputNotes } from "./shared-input.mjs";
import { loadTargets } from "./targets.mjs";

const { seed, runs, names, shared } = workerData;
const note = inputNotes(shared);
for (const target of await loadTargets(names)) {
  parentPort.postMessage({ begins: target.name });
  parentPort.postMessage({ report: fuzzTarget(target, { seed, runs, note }) });
}
