// Which worker tries which nonces next: a value machine under the pool, so that fairness and loss can be tested without
// threads. A job's nonces are handed out in order, in chunks; jobs take turns.
import type { MintTask } from "./mint.ts";
import { NONCE_BYTES } from "./stamp-input.ts";

/** A range of nonces for one worker; plain data, it is posted as it is. */
export interface Chunk {
  readonly chunkId: number;
  readonly jobId: number;
  readonly task: MintTask;
  readonly maxHashes: number;
}

/** What came of a chunk. */
export interface Settled {
  readonly jobId: number;
  readonly hashes: number;
  readonly nonce: Uint8Array | undefined;
}

interface Job {
  readonly id: number;
  readonly task: MintTask;
  /** Nonces handed out so far. */
  assigned: number;
  hashes: number;
  inFlight: number;
  lostChunks: number;
  /** BOUNDED: by the chunks that were in flight on a worker when it died, two a worker. */
  readonly lost: Range[];
}

interface Range {
  readonly offset: number;
  readonly count: number;
}

/** Below this a chunk is dominated by its round trip. */
const MIN_CHUNK_HASHES = 1024;

export class JobQueue {
  // BOUNDED: by the pool's maxJobs. In order of turns: a job that got a chunk goes to the end.
  readonly #jobs = new Map<number, Job>();
  // BOUNDED: two a worker.
  readonly #inFlight = new Map<number, Range & { readonly jobId: number }>();
  #nextJobId = 1;
  #nextChunkId = 1;

  get size(): number {
    return this.#jobs.size;
  }

  add(task: MintTask): number {
    const id = this.#nextJobId;
    this.#nextJobId += 1;
    this.#jobs.set(id, { id, task, assigned: 0, hashes: 0, inFlight: 0, lostChunks: 0, lost: [] });
    return id;
  }

  /** Forgets a job; chunks of it that are still out settle as nothing. */
  remove(jobId: number): void {
    this.#jobs.delete(jobId);
  }

  /** The next chunk of at most `maxHashes`, or undefined while there is nothing sensible to do. */
  take(maxHashes: number): Chunk | undefined {
    for (const job of this.#jobs.values()) {
      // The job may be done within `effort` hashes, so a chunk far beyond that would mostly be wasted.
      const size = Math.max(MIN_CHUNK_HASHES, Math.min(maxHashes, 2 * job.task.effort));
      if (job.inFlight > 0 && job.inFlight + size > job.task.effort) continue;
      return this.#assign(job, job.lost.pop() ?? { offset: job.assigned, count: size });
    }
    return undefined;
  }

  /** A worker is done with a chunk. Undefined if its job is no more. */
  settle(chunkId: number, hashes: number, nonce: Uint8Array | undefined): Settled | undefined {
    const job = this.#retire(chunkId);
    if (job === undefined) return undefined;
    job.hashes += hashes;
    if (nonce !== undefined) this.#jobs.delete(job.id);
    return { jobId: job.id, hashes: job.hashes, nonce };
  }

  /**
   * The worker died under a chunk: its nonces are given out again. Returns the job and how many of its chunks were lost so
   * far, or undefined if the job is no more.
   */
  lose(chunkId: number): { readonly jobId: number; readonly lostChunks: number } | undefined {
    const range = this.#inFlight.get(chunkId);
    const job = this.#retire(chunkId);
    if (job === undefined || range === undefined) return undefined;
    job.lost.push({ offset: range.offset, count: range.count });
    job.lostChunks += 1;
    return { jobId: job.id, lostChunks: job.lostChunks };
  }

  #assign(job: Job, range: Range): Chunk {
    const chunkId = this.#nextChunkId;
    this.#nextChunkId += 1;
    this.#inFlight.set(chunkId, { jobId: job.id, ...range });
    job.assigned = Math.max(job.assigned, range.offset + range.count);
    job.inFlight += range.count;
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, job);
    const startNonce = nonceAt(job.task.startNonce, range.offset);
    return { chunkId, jobId: job.id, task: { ...job.task, startNonce }, maxHashes: range.count };
  }

  #retire(chunkId: number): Job | undefined {
    const range = this.#inFlight.get(chunkId);
    if (range === undefined) return undefined;
    this.#inFlight.delete(chunkId);
    const job = this.#jobs.get(range.jobId);
    if (job !== undefined) job.inFlight -= range.count;
    return job;
  }
}

/** The nonce `offset` steps on, modulo 2^64. */
function nonceAt(start: Uint8Array, offset: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  nonce.set(start);
  view.setBigUint64(0, view.getBigUint64(0) + BigInt(offset));
  return nonce;
}
