// Entry point of a pool's worker thread (node:worker_threads): runs the chunks it is sent, in order, and reports each.
// A driver, not a machine: it reads a clock to tell the pool how fast it is.
import { parentPort } from "node:worker_threads";
import type { Chunk } from "./job-queue.ts";
import { createMint } from "./mint.ts";
import type { ChunkReport } from "./mint-pool.ts";

parentPort?.on("message", ({ chunkId, task, maxHashes }: Chunk) => {
  const startedMs = performance.now();
  const mint = createMint(task);
  const nonce = mint.run(maxHashes);
  const report: ChunkReport = { chunkId, hashes: mint.hashes, elapsedMs: performance.now() - startedMs, nonce };
  parentPort?.postMessage(report);
});
