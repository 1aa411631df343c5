// Entry point of a pool's worker thread (node:worker_threads): runs the chunks it is sent, in order, and reports each.
import { parentPort } from "node:worker_threads";
import type { Chunk } from "./job-queue.ts";
import { runChunk } from "./run-chunk.ts";

parentPort?.on("message", (chunk: Chunk) => parentPort?.postMessage(runChunk(chunk)));
