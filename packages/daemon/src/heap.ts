import { setFlagsFromString } from "node:v8";

// V8 begins to mark the whole heap whenever another 64 MB of buffers have come, however large it is; and each datagram is a buffer, and so
// is each that is opened or sealed. A busy relay spent two fifths of its time on that.

/** Counts buffers towards the limit of the heap as a whole, from here on. V8 knows it from version 13 on (Node 24). */
export function countBuffersWithHeap(): void {
  if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString("--external-memory-accounted-in-global-limit");
}
