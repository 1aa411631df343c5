import { badInput, requireInteger, requireObject } from "./arguments.ts";

/** How large a pool may become, and where its script is. */
export interface MintPoolOptions {
  /** Threads at most; started when there is work for them. Default: one less than the machine runs in parallel, at least 1. */
  readonly workers?: number;
  /** Jobs at most, waiting and running; one more is refused with `E_MINT_BUSY`. Default 1024. */
  readonly maxJobs?: number;
  /**
   * The worker's script, as the platform's own Worker takes it, for when a bundler leaves it behind: `dist/worker.js` in Node,
   * `dist/web-worker.js` in browsers. Default: beside this module.
   */
  readonly workerUrl?: string | URL;
}

export interface PoolSize {
  readonly workers: number;
  readonly maxJobs: number;
}

/** @throws MintError `E_MINT_INPUT` */
export function poolSize(options: MintPoolOptions, parallelism: number): PoolSize {
  requireObject("options", options);
  const { workers = Math.max(1, parallelism - 1), maxJobs = 1024, workerUrl } = options;
  requireInteger("workers", workers, 1);
  requireInteger("maxJobs", maxJobs, 1);
  if (workerUrl !== undefined && typeof workerUrl !== "string" && !(workerUrl instanceof URL)) {
    throw badInput("workerUrl", "a string or a URL", workerUrl);
  }
  return { workers, maxJobs };
}
