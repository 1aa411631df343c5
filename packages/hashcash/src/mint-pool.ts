// The pool over whatever runs its chunks: promises, deadlines and aborts on the one side, threads on the other, the queue
// between. A driver: it owns timers. It hands out ranges of nonces and never hashes.
import { badInput, requireObject } from "./arguments.ts";
import { MintError } from "./errors.ts";
import { type Chunk, JobQueue } from "./job-queue.ts";
import { checkTask, type MintTask } from "./mint.ts";
import type { PoolSize } from "./pool-options.ts";
import { NONCE_BYTES } from "./stamp-input.ts";
import type { Stamp } from "./stamp-text.ts";

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
  /** Whether the next `post` will find a thread, instead of having to start one. */
  readonly isStarted: boolean;
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

/** How far a job is. */
export interface MintProgress {
  /** Tried so far. */
  readonly hashes: number;
  /** The mean: each try succeeds with probability 1 / expectedHashes, whatever was tried before. */
  readonly expectedHashes: number;
}

/** A job: the 32-byte digest to stamp and the effort, in expected hashes. `signal` cancels it (`E_MINT_ABORTED`). */
export interface MintRequest extends Pick<MintTask, "digest" | "effort"> {
  /** Where to begin, 8 bytes; drawn at random unless given. */
  readonly startNonce?: Uint8Array;
  readonly signal?: AbortSignal;
  /** How long the job may take from now, waiting included. Beyond 2^31 ms, some 24 days, as long as it likes. */
  readonly deadlineMs?: number;
  /** Called after each chunk, every few milliseconds a worker; must not throw. */
  readonly onProgress?: (progress: MintProgress) => void;
}

/** A stamp, and what it took. */
export interface Minted extends Stamp {
  /** Tried for this job, by all workers. */
  readonly hashes: number;
}

/** Threads that mint, started when there is work. */
export interface MintPool {
  /** Rejects with a MintError only; see its codes. Bytes are copied, the caller may reuse them. */
  mint(request: MintRequest): Promise<Minted>;
  /** Rejects what is pending with `E_MINT_CLOSED` and resolves when every thread has ended. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (nonce: Uint8Array, hashes: number) => void;
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
  { workers, maxJobs }: PoolSize,
): MintPool {
  const queue = new JobQueue();
  // BOUNDED: by maxJobs.
  const pending = new Map<number, Pending>();
  let closing: Promise<void> | undefined;
  let hasStartedOne = false;

  const runners = Array.from({ length: workers }, () => startRunner({ onReport, onCrash }));

  function onReport({ chunkId, hashes, nonce }: ChunkReport): void {
    const settled = queue.settle(chunkId, hashes, nonce);
    const job = settled && pending.get(settled.jobId);
    if (settled?.nonce !== undefined) job?.resolve(settled.nonce, settled.hashes);
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
        if (runner.chunksOut >= depth || (hasStartedOne && !runner.isStarted)) continue;
        const chunk = queue.take(runner.chunkHashes);
        if (chunk === undefined) return;
        if (!runner.isStarted) holdStarts();
        runner.post(chunk);
      }
    }
  }

  /** Starting a thread takes the caller's event loop up to milliseconds: no more than one at each of its turns. */
  function holdStarts(): void {
    hasStartedOne = true;
    setTimeout(() => {
      hasStartedOne = false;
      pump();
    }, 0);
  }

  function start(
    request: MintRequest,
    task: MintTask,
    resolve: (minted: Minted) => void,
    reject: Pending["reject"],
  ): void {
    const { signal, deadlineMs, onProgress } = request;
    const { effort } = task;
    const jobId = queue.add(task);
    const abort = (): void => job.reject(aborted(signal));
    const timer =
      deadlineMs === undefined || deadlineMs > MAX_TIMER_MS
        ? undefined
        : setTimeout(() => job.reject(tooLate(deadlineMs)), deadlineMs);

    function forget(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      pending.delete(jobId);
      queue.remove(jobId);
      pump();
    }
    const job: Pending = {
      resolve(nonce, hashes) {
        forget();
        resolve({ effort, nonce, hashes });
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
      const task = taskOf(request);
      const { signal, deadlineMs } = request;
      if (closing !== undefined) throw closed();
      if (signal?.aborted) throw aborted(signal);
      if (deadlineMs !== undefined && deadlineMs <= 0) throw tooLate(deadlineMs);
      if (pending.size >= maxJobs) throw new MintError("E_MINT_BUSY", `the pool already holds ${maxJobs} jobs`);
      return new Promise((resolve, reject) => start(request, task, resolve, reject));
    },
    close() {
      closing ??= Promise.all(runners.map((runner) => runner.stop())).then(() => undefined);
      for (const job of [...pending.values()]) job.reject(closed());
      return closing;
    },
  };
}

/** @throws MintError `E_MINT_INPUT`, naming the argument */
function taskOf(request: MintRequest): MintTask {
  requireObject("request", request);
  const { digest, effort, startNonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES)) } = request;
  const { signal, deadlineMs, onProgress } = request;
  checkTask({ digest, effort, startNonce });
  // Not instanceof: a signal may come from another realm.
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw badInput("signal", "an AbortSignal", signal);
  }
  if (deadlineMs !== undefined && (typeof deadlineMs !== "number" || Number.isNaN(deadlineMs))) {
    throw badInput("deadlineMs", "a number", deadlineMs);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw badInput("onProgress", "a function", onProgress);
  }
  // Not slice(): that of a Buffer shares its memory.
  return { digest: Uint8Array.from(digest), effort, startNonce: Uint8Array.from(startNonce) };
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
