// Minting in worker threads of Node.
import { availableParallelism } from "node:os";
import { createPoolOf, type MintPool } from "./mint-pool.ts";
import { startNodeThread } from "./node-thread.ts";
import { type MintPoolOptions, poolSize } from "./pool-options.ts";
import { ThreadRunner } from "./thread-runner.ts";

export { MintError, type MintErrorCode } from "./errors.ts";
export type { Minted, MintPool, MintProgress, MintRequest } from "./mint-pool.ts";
export type { MintPoolOptions } from "./pool-options.ts";

/** @throws MintError `E_MINT_INPUT`, naming the option */
export function createMintPool(options: MintPoolOptions = {}): MintPool {
  const size = poolSize(options, availableParallelism());
  const { workerUrl } = options;
  return createPoolOf((events) => new ThreadRunner(events, (thread) => startNodeThread(thread, workerUrl)), size);
}
