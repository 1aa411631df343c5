import { writeSync } from "node:fs";
import { errnoOf } from "./errno.ts";

const STDOUT = 1;
/** A reader that has taken nothing for so long is not waited for any more, until it takes something again. */
const PATIENCE_MS = 1000;
const PAUSE_MS = 5;
const NEWLINE = 10;

/**
 * Standard output for a log, written at once. A line that cannot be written, on a full disk or to a reader that has gone or stands still,
 * is lost; the program goes on, and `lostText` of how many there were is written ahead of the next line that can be.
 */
export function logOutput(lostText: (count: number) => string): { write(line: string): void } {
  let lost = 0;
  let isTorn = false;
  let patienceMs = PATIENCE_MS;
  const write = (text: string): boolean => {
    // What comes behind half a line begins one of its own.
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(STDOUT, bytes, at);
        patienceMs = PATIENCE_MS;
        isTorn = bytes[at - 1] !== NEWLINE;
      } catch (error) {
        // A pipe that is full, for Node makes it one that does not block.
        if (errnoOf(error) !== "EAGAIN" || patienceMs <= 0) return false;
        patienceMs -= PAUSE_MS;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      }
    }
    return true;
  };
  return {
    write(line) {
      if (lost > 0 && write(lostText(lost))) lost = 0;
      if (lost > 0 || !write(line)) lost += 1;
    },
  };
}
