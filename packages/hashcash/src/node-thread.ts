import { Worker } from "node:worker_threads";
import type { Thread, ThreadEvents } from "./thread-runner.ts";

const fromSource = import.meta.url.endsWith(".ts");
const ownEntry = fromSource ? new URL("./worker.ts", import.meta.url) : new URL("./worker.js", import.meta.url);
// Never the flags of the process: some of them (--input-type) would keep a worker from starting.
const execArgv = fromSource ? ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"] : [];

/** A thread of node:worker_threads; it does not keep the process alive until it is told to. */
export function startNodeThread({ onReport, onEnd }: ThreadEvents, entry: string | URL = ownEntry): Thread {
  const worker = new Worker(entry, { execArgv, name: "starling mint" });
  let cause: unknown;
  worker.on("message", onReport);
  worker.on("error", (error) => {
    cause = error;
  });
  worker.on("exit", (exitCode) => onEnd(cause ?? new Error(`the worker thread exited with code ${exitCode}`)));
  worker.unref();
  return {
    post: (chunk) => worker.postMessage(chunk),
    keepProcessAlive: (keep) => (keep ? worker.ref() : worker.unref()),
    stop: async () => void (await worker.terminate()),
  };
}
