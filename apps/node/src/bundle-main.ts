// The entry of the bundle: one file that is the program, and in its threads the minting worker.
import { isMainThread } from "node:worker_threads";

if (isMainThread) await import("./main.ts");
else await import("@starling/hashcash/worker");
