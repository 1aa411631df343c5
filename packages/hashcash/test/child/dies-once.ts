// The worker of pool.test.ts whose first life ends under its first chunk.
import { parentPort } from "node:worker_threads";
import type { Chunk } from "../../src/job-queue.ts";
import { runChunk } from "../../src/run-chunk.ts";

parentPort?.on("message", (chunk: Chunk) => {
  if (chunk.chunkId === 1) process.exit(7);
  parentPort?.postMessage(runChunk(chunk));
});
