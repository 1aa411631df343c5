// What a worker thread does on either platform. A driver, not a machine: it reads a clock to tell the pool how fast it is.
import type { Chunk } from "./job-queue.ts";
import { createMint } from "./mint.ts";
import type { ChunkReport } from "./mint-pool.ts";

export function runChunk({ chunkId, task, maxHashes }: Chunk): ChunkReport {
  const startedMs = performance.now();
  const mint = createMint(task);
  const nonce = mint.run(maxHashes);
  return { chunkId, hashes: mint.hashes, elapsedMs: performance.now() - startedMs, nonce };
}
