// Minting in module workers of a browser: what ./pool is there.
import { createPoolOf, type MintPool } from "./mint-pool.ts";
import { type MintPoolOptions, poolSize } from "./pool-options.ts";
import { ThreadRunner } from "./thread-runner.ts";
import { startWebThread } from "./web-thread.ts";

export { MintError, type MintErrorCode } from "./errors.ts";
export type { Minted, MintPool, MintProgress, MintRequest } from "./mint-pool.ts";
export type { MintPoolOptions } from "./pool-options.ts";

/** @throws MintError `E_MINT_INPUT`, naming the option */
export function createMintPool(options: MintPoolOptions = {}): MintPool {
  const size = poolSize(options, navigator.hardwareConcurrency || 2);
  const { workerUrl } = options;
  return createPoolOf((events) => new ThreadRunner(events, (thread) => startWebThread(thread, workerUrl)), size);
}
