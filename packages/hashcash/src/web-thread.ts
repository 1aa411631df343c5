import type { Chunk } from "./job-queue.ts";
import type { ChunkReport } from "./mint-pool.ts";
import type { Thread, ThreadEvents } from "./thread-runner.ts";

/** What is needed of the Web Worker API, which the type library of neither Node nor ECMAScript describes. */
interface WebWorker {
  postMessage(chunk: Chunk): void;
  terminate(): void;
  onmessage: ((event: { readonly data: ChunkReport }) => void) | null;
  onmessageerror: ((event: unknown) => void) | null;
  onerror: ((event: { readonly message?: string; readonly error?: unknown }) => void) | null;
}
declare const Worker: new (
  entry: string | URL,
  options: { readonly type: "module"; readonly name: string },
) => WebWorker;

/** A module worker of the browser. */
export function startWebThread({ onReport, onEnd }: ThreadEvents, entry?: string | URL): Thread {
  const worker =
    entry === undefined
      ? // Bundlers look for exactly this expression, to put the worker's file where it will be found.
        new Worker(new URL("./web-worker.js", import.meta.url), { type: "module", name: "starling mint" })
      : new Worker(entry, { type: "module", name: "starling mint" });

  // A browser's worker outlives an error, and one whose script did not load says no more than that: neither is kept.
  const fail = (cause: unknown): void => {
    worker.terminate();
    onEnd(cause);
  };
  worker.onmessage = ({ data }) => onReport(data);
  worker.onmessageerror = () => fail(new Error("a report of the mint worker could not be read"));
  worker.onerror = ({ error, message }) =>
    fail(error ?? new Error(message || "the script of the mint worker could not be loaded"));
  return {
    post: (chunk) => worker.postMessage(chunk),
    // Pages do not wait for their workers.
    keepProcessAlive: () => undefined,
    stop: async () => worker.terminate(),
  };
}
