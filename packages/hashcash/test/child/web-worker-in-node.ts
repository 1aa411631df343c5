// src/web-worker.ts within a thread of Node: the global scope that it finds in a browser, over the thread's port.
import { parentPort, workerData } from "node:worker_threads";

if (workerData === "broken:") throw new Error("broken script");

const scope: { onmessage?: (event: { data: unknown }) => void; postMessage(message: unknown): void } = {
  postMessage: (message) => parentPort?.postMessage(message),
};
Object.assign(globalThis, { self: scope });
await import("../../src/web-worker.ts");
parentPort?.on("message", (data) => scope.onmessage?.({ data }));
