// Minting in worker threads; the only part of this package that needs Node.
import { availableParallelism } from "node:os";
import { MintError } from "./errors.ts";
import { createPoolOf, type MintPool } from "./mint-pool.ts";
import { WorkerThread } from "./worker-thread.ts";

export { MintError, type MintErrorCode } from "./errors.ts";
export type { Minted, MintPool, MintProgress, MintRequest } from "./mint-pool.ts";

export interface MintPoolOptions {
  /** Threads at most; started when there is work for them. Default: one less than the machine runs in parallel, at least 1. */
  readonly workers?: number;
  /** Jobs at most, waiting and running; one more is refused with `E_MINT_BUSY`. Default 1024. */
  readonly maxJobs?: number;
}

/** @throws MintError `E_MINT_INPUT` if an option is no positive integer */
export function createMintPool(options: MintPoolOptions = {}): MintPool {
  const workers = positive("workers", options.workers ?? Math.max(1, availableParallelism() - 1));
  const maxJobs = positive("maxJobs", options.maxJobs ?? 1024);
  return createPoolOf((events) => new WorkerThread(events), workers, maxJobs);
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new MintError("E_MINT_INPUT", `${name} must be a positive integer, not ${value}`);
}
