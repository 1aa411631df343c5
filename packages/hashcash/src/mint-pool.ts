// The pool over whatever runs its chunks: promises, deadlines and aborts on the one side, threads on the other, the queue
// between. A driver: it owns timers. It hands out ranges of nonces and never hashes.
import { MintError } from "./errors.ts";
import { type Chunk, JobQueue } from "./job-queue.ts";
import { checkTask, type MintTask } from "./mint.ts";

/** What came of a chunk. */
export interface ChunkReport {
  readonly chunkId: number;
  readonly hashes: number;
  readonly elapsedMs: number;
  readonly nonce: Uint8Array | undefined;
}

/** Runs chunks one after the other, somewhere else. */
export interface ChunkRunner {
  readonly chunksOut: number;
  /** How many hashes take one chunk's time. */
  readonly chunkHashes: number;
  /** Whether the runner may keep the process from ending; it does not at first. */
  keepProcessAlive(keep: boolean): void;
  post(chunk: Chunk): void;
  stop(): Promise<void>;
}

export interface RunnerEvents {
  onReport(report: ChunkReport): void;
  /** The runner died; these chunks will not be reported. It starts anew with the next chunk. Never called within `post`. */
  onCrash(chunkIds: readonly number[], cause: unknown): void;
}

export interface MintProgress {
  /** Tried so far. */
  readonly hashes: number;
  /** The mean: each try succeeds with probability 1 / expectedHashes, whatever was tried before. */
  readonly expectedHashes: number;
}

export interface MintRequest extends MintTask {
  readonly signal?: AbortSignal;
  /** How long the job may take from now, waiting included. */
  readonly deadlineMs?: number;
  /** Called after each chunk, every few milliseconds a worker; must not throw. */
  readonly onProgress?: (progress: MintProgress) => void;
}

export interface Minted {
  /** 8 bytes. */
  readonly nonce: Uint8Array;
  /** Tried for this job, by all workers. */
  readonly hashes: number;
}

export interface MintPool {
  /** Rejects with a MintError only; see its codes. Bytes are copied, the caller may reuse them. */
  mint(request: MintRequest): Promise<Minted>;
  /** Rejects what is pending with `E_MINT_CLOSED` and resolves when every thread has ended. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (minted: Minted) => void;
  readonly reject: (error: MintError) => void;
  readonly report: (hashes: number) => void;
}

/** Two chunks on each worker: it begins the second while the report of the first is on its way. */
const CHUNKS_A_WORKER = 2;
/** A job is given up when this many of its chunks were lost with the workers that ran them. */
const MAX_LOST_CHUNKS = 3;
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createPoolOf(
  startRunner: (events: RunnerEvents) => ChunkRunner,
  workers: number,
  maxJobs: number,
): MintPool {
  const queue = new JobQueue();
  // BOUNDED: by maxJobs.
  const pending = new Map<number, Pending>();
  let closing: Promise<void> | undefined;

  const runners = Array.from({ length: workers }, () => startRunner({ onReport, onCrash }));

  function onReport({ chunkId, hashes, nonce }: ChunkReport): void {
    const settled = queue.settle(chunkId, hashes, nonce);
    const job = settled && pending.get(settled.jobId);
    if (settled?.nonce !== undefined) job?.resolve({ nonce: settled.nonce, hashes: settled.hashes });
    pump();
    if (settled !== undefined) job?.report(settled.hashes);
  }

  function onCrash(chunkIds: readonly number[], cause: unknown): void {
    for (const chunkId of chunkIds) {
      const lost = queue.lose(chunkId);
      if (lost === undefined || lost.lostChunks < MAX_LOST_CHUNKS) continue;
      pending
        .get(lost.jobId)
        ?.reject(new MintError("E_MINT_WORKER", "workers died again and again under this job", { cause }));
    }
    pump();
  }

  /** Fills the workers, each with one chunk before any gets its second. */
  function pump(): void {
    if (closing !== undefined) return;
    for (const runner of runners) runner.keepProcessAlive(queue.size > 0);
    for (let depth = 1; depth <= CHUNKS_A_WORKER; depth += 1) {
      for (const runner of runners) {
        if (runner.chunksOut >= depth) continue;
        const chunk = queue.take(runner.chunkHashes);
        if (chunk === undefined) return;
        runner.post(chunk);
      }
    }
  }

  function start(request: MintRequest, resolve: Pending["resolve"], reject: Pending["reject"]): void {
    const { effort, signal, deadlineMs, onProgress } = request;
    // Not slice(): that of a Buffer shares its memory.
    const digest = Uint8Array.from(request.digest);
    const startNonce = Uint8Array.from(request.startNonce);
    const jobId = queue.add({ digest, effort, startNonce });
    const abort = (): void => job.reject(aborted(signal));
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => job.reject(tooLate(deadlineMs)), Math.min(deadlineMs, MAX_TIMER_MS));

    function forget(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      pending.delete(jobId);
      queue.remove(jobId);
      pump();
    }
    const job: Pending = {
      resolve(minted) {
        forget();
        resolve(minted);
      },
      reject(error) {
        forget();
        reject(error);
      },
      report: (hashes) => onProgress?.({ hashes, expectedHashes: effort }),
    };
    signal?.addEventListener("abort", abort, { once: true });
    pending.set(jobId, job);
    pump();
  }

  return {
    async mint(request) {
      checkTask(request);
      const { signal, deadlineMs } = request;
      if (closing !== undefined) throw closed();
      if (signal?.aborted) throw aborted(signal);
      if (deadlineMs !== undefined && !(deadlineMs > 0)) throw tooLate(deadlineMs);
      if (pending.size >= maxJobs) throw new MintError("E_MINT_BUSY", `the pool already holds ${maxJobs} jobs`);
      return new Promise((resolve, reject) => start(request, resolve, reject));
    },
    close() {
      closing ??= Promise.all(runners.map((runner) => runner.stop())).then(() => undefined);
      for (const job of [...pending.values()]) job.reject(closed());
      return closing;
    },
  };
}

function aborted(signal: AbortSignal | undefined): MintError {
  return new MintError("E_MINT_ABORTED", "the caller gave up this mint", { cause: signal?.reason });
}

function tooLate(deadlineMs: number): MintError {
  return new MintError("E_MINT_DEADLINE", `no nonce was found within ${deadlineMs} ms`);
}

function closed(): MintError {
  return new MintError("E_MINT_CLOSED", "the mint pool is closed");
}
