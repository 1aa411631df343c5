// Entry point of a pool's module worker in a browser: runs the chunks it is sent, in order, and reports each.
import type { Chunk } from "./job-queue.ts";
import type { ChunkReport } from "./mint-pool.ts";
import { runChunk } from "./run-chunk.ts";

declare const self: {
  onmessage: ((event: { readonly data: Chunk }) => void) | null;
  postMessage(report: ChunkReport): void;
};

self.onmessage = ({ data }) => self.postMessage(runChunk(data));
