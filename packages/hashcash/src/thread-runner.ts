// One worker of a pool: a thread, started when it is first given work and again after a crash. What a thread is, the platform
// says: node-thread.ts, web-thread.ts.
import type { Chunk } from "./job-queue.ts";
import type { ChunkReport, ChunkRunner, RunnerEvents } from "./mint-pool.ts";

export interface Thread {
  post(chunk: Chunk): void;
  keepProcessAlive(keep: boolean): void;
  stop(): Promise<void>;
}

/** Never called before the thread's start has returned. */
export interface ThreadEvents {
  onReport(report: ChunkReport): void;
  /** It ended, or can no longer be relied on. */
  onEnd(cause: unknown): void;
}

/** May throw, where the process or the page is not allowed another thread. */
export type StartThread = (events: ThreadEvents) => Thread;

/** A cancelled job occupies a worker for at most the chunks that are out: two of this length. */
const CHUNK_MS = 7;
/** About a millisecond of the fastest kernel, until the worker has told how fast it is. */
const FIRST_CHUNK_HASHES = 2 ** 14;
const MAX_CHUNK_HASHES = 2 ** 24;

export class ThreadRunner implements ChunkRunner {
  readonly #events: RunnerEvents;
  readonly #startThread: StartThread;
  // BOUNDED: the pool keeps at most two chunks here.
  readonly #chunkIds = new Set<number>();
  #thread: Thread | undefined;
  #hashesPerMs: number | undefined;
  #keepsProcessAlive = false;

  constructor(events: RunnerEvents, startThread: StartThread) {
    this.#events = events;
    this.#startThread = startThread;
  }

  get chunksOut(): number {
    return this.#chunkIds.size;
  }

  get isStarted(): boolean {
    return this.#thread !== undefined;
  }

  get chunkHashes(): number {
    if (this.#hashesPerMs === undefined) return FIRST_CHUNK_HASHES;
    return Math.min(MAX_CHUNK_HASHES, Math.ceil(this.#hashesPerMs * CHUNK_MS));
  }

  keepProcessAlive(keep: boolean): void {
    if (keep === this.#keepsProcessAlive) return;
    this.#keepsProcessAlive = keep;
    this.#thread?.keepProcessAlive(keep);
  }

  post(chunk: Chunk): void {
    try {
      this.#thread ??= this.#start();
    } catch (error) {
      // Told later, as every crash is: the pool is amid handing out work.
      queueMicrotask(() => this.#events.onCrash([chunk.chunkId], error));
      return;
    }
    this.#chunkIds.add(chunk.chunkId);
    this.#thread.post(chunk);
  }

  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#chunkIds.clear();
    await thread?.stop();
  }

  #start(): Thread {
    const thread = this.#startThread({
      onReport: (report) => {
        if (thread !== this.#thread) return;
        this.#chunkIds.delete(report.chunkId);
        this.#measure(report);
        this.#events.onReport(report);
      },
      onEnd: (cause) => {
        if (thread !== this.#thread) return;
        this.#thread = undefined;
        const lost = [...this.#chunkIds];
        this.#chunkIds.clear();
        this.#events.onCrash(lost, cause);
      },
    });
    if (this.#keepsProcessAlive) thread.keepProcessAlive(true);
    return thread;
  }

  #measure({ hashes, elapsedMs }: ChunkReport): void {
    // A chunk that ended at once (found) says little about speed.
    if (elapsedMs < 0.5) return;
    const hashesPerMs = hashes / elapsedMs;
    this.#hashesPerMs = this.#hashesPerMs === undefined ? hashesPerMs : (this.#hashesPerMs + hashesPerMs) / 2;
  }
}
