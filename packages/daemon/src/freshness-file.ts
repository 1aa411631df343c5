import { readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { wholeFile } from "./whole-file.ts";

// The lower bound of freshness (PROTOCOL §8), kept in the data directory for the next start: `MILLISECONDS CRC-32`, one line. Without
// it what was sent before this start is stale by the clock alone, so a clock that was set back in between would take it again.

const FILE = "freshness";

/** What a log says with E_CLOCK when the bound was reset. */
export const CLOCK_SET_BACK: string =
  "the clock is more than 30 s behind what it was: set it right (NTP); what was sent in between may be taken once more";

/** The file that keeps a freshness bound, in a data directory. */
export type FreshnessFile = {
  /** What was saved last, in milliseconds since 1970; undefined where there is none, or it is damaged. */
  read(): Promise<number | undefined>;
  /** Replaces it; calls are carried out one after the other. Rejects where the disk does. */
  write(boundMs: number): Promise<void>;
  /** When all writes so far have ended, well or not. */
  settled(): Promise<void>;
};

/** The file of the freshness bound in a data directory. */
export function freshnessFile(dataDir: { path(name: string): string }): FreshnessFile {
  const path = dataDir.path(FILE);
  const file = wholeFile(path);
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(path, "utf8");
      } catch {
        return undefined;
      }
      const [bound = ""] = text.split(" ");
      return /^\d{1,15}$/.test(bound) && text === lineOf(bound) ? Number(bound) : undefined;
    },
    write: (boundMs) => file.write(lineOf(`${Math.ceil(boundMs)}`)),
    settled: () => file.settled(),
  };
}

function lineOf(bound: string): string {
  return `${bound} ${crc32(bound).toString(16).padStart(8, "0")}\n`;
}
