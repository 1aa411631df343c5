// One worker thread of a pool (node:worker_threads), started when it is first given work and again after a crash.
import { Worker } from "node:worker_threads";
import type { Chunk } from "./job-queue.ts";
import type { ChunkReport, ChunkRunner, RunnerEvents } from "./mint-pool.ts";

/** A cancelled job occupies a worker for at most the chunks that are out: two of this length. */
const CHUNK_MS = 7;
/** About a millisecond of the fastest kernel, until the worker has told how fast it is. */
const FIRST_CHUNK_HASHES = 2 ** 14;
const MAX_CHUNK_HASHES = 2 ** 24;

const fromSource = import.meta.url.endsWith(".ts");
const mintEntry = fromSource ? new URL("./worker.ts", import.meta.url) : new URL("./worker.js", import.meta.url);
// Never the flags of the process: some of them (--input-type) would keep a worker from starting.
const execArgv = fromSource ? ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"] : [];

export class WorkerThread implements ChunkRunner {
  readonly #events: RunnerEvents;
  readonly #entry: URL;
  // BOUNDED: the pool keeps at most two chunks here.
  readonly #chunkIds = new Set<number>();
  #worker: Worker | undefined;
  #hashesPerMs: number | undefined;
  #keepsProcessAlive = false;

  constructor(events: RunnerEvents, entry: URL = mintEntry) {
    this.#events = events;
    this.#entry = entry;
  }

  get chunksOut(): number {
    return this.#chunkIds.size;
  }

  get chunkHashes(): number {
    if (this.#hashesPerMs === undefined) return FIRST_CHUNK_HASHES;
    return Math.min(MAX_CHUNK_HASHES, Math.ceil(this.#hashesPerMs * CHUNK_MS));
  }

  keepProcessAlive(keep: boolean): void {
    if (keep === this.#keepsProcessAlive) return;
    this.#keepsProcessAlive = keep;
    if (keep) this.#worker?.ref();
    else this.#worker?.unref();
  }

  post(chunk: Chunk): void {
    try {
      this.#worker ??= this.#start();
    } catch (error) {
      // Refused by the process's permissions or limits. Told later, as every crash is: the pool is amid handing out work.
      queueMicrotask(() => this.#events.onCrash([chunk.chunkId], error));
      return;
    }
    this.#chunkIds.add(chunk.chunkId);
    this.#worker.postMessage(chunk);
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#chunkIds.clear();
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { execArgv, name: "starling mint" });
    let cause: unknown;
    worker.on("message", (report: ChunkReport) => {
      if (worker !== this.#worker) return;
      this.#chunkIds.delete(report.chunkId);
      this.#measure(report);
      this.#events.onReport(report);
    });
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (exitCode) => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      const lost = [...this.#chunkIds];
      this.#chunkIds.clear();
      this.#events.onCrash(lost, cause ?? new Error(`the worker thread exited with code ${exitCode}`));
    });
    if (!this.#keepsProcessAlive) worker.unref();
    return worker;
  }

  #measure({ hashes, elapsedMs }: ChunkReport): void {
    // A chunk that ended at once (found) says little about speed.
    if (elapsedMs < 0.5) return;
    const hashesPerMs = hashes / elapsedMs;
    this.#hashesPerMs = this.#hashesPerMs === undefined ? hashesPerMs : (this.#hashesPerMs + hashesPerMs) / 2;
  }
}
