// Minting in worker threads (Node only). The caller's thread hands out ranges of nonces and never hashes.
import { availableParallelism } from "node:os";
import { MintError } from "./errors.ts";
import { JobQueue } from "./job-queue.ts";
import { checkTask, type MintTask } from "./mint.ts";
import type { ChunkReport } from "./worker.ts";
import { WorkerThread } from "./worker-thread.ts";

export { MintError, type MintErrorCode } from "./errors.ts";

export interface MintPoolOptions {
  /** Threads at most; started when there is work for them. Default: one less than the machine runs in parallel, at least 1. */
  readonly workers?: number;
  /** Jobs at most, waiting and running; one more is refused with `E_MINT_BUSY`. Default 1024. */
  readonly maxJobs?: number;
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
/** A job whose chunks killed this many workers is given up. */
const MAX_LOST_CHUNKS = 3;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws MintError `E_MINT_INPUT` if an option is no positive integer */
export function createMintPool(options: MintPoolOptions = {}): MintPool {
  const workers = positive("workers", options.workers ?? Math.max(1, availableParallelism() - 1));
  const maxJobs = positive("maxJobs", options.maxJobs ?? 1024);
  const queue = new JobQueue();
  // BOUNDED: by maxJobs.
  const pending = new Map<number, Pending>();
  let closing: Promise<void> | undefined;

  const threads = Array.from({ length: workers }, () => new WorkerThread({ onReport, onCrash }));

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
      pending.get(lost.jobId)?.reject(new MintError("E_MINT_WORKER", "the worker threads of this job died", { cause }));
    }
    pump();
  }

  /** Fills the workers, each with one chunk before any gets its second. */
  function pump(): void {
    if (closing !== undefined) return;
    for (const thread of threads) thread.keepProcessAlive(queue.size > 0);
    for (let depth = 1; depth <= CHUNKS_A_WORKER; depth += 1) {
      for (const thread of threads) {
        if (thread.chunksOut >= depth) continue;
        const chunk = queue.take(thread.chunkHashes);
        if (chunk === undefined) return;
        thread.post(chunk);
      }
    }
  }

  function start(request: MintRequest, resolve: Pending["resolve"], reject: Pending["reject"]): void {
    const { digest, effort, startNonce, signal, deadlineMs, onProgress } = request;
    const jobId = queue.add({ digest: digest.slice(), effort, startNonce: startNonce.slice() });
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
      closing ??= Promise.all(threads.map((thread) => thread.stop())).then(() => undefined);
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

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new MintError("E_MINT_INPUT", `${name} must be a positive integer, not ${value}`);
}
