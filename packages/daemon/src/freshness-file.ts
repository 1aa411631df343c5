import { checkedLine, readCheckedLine } from "./checked-line.ts";
import { wholeFile } from "./whole-file.ts";

// The lower bound of freshness (PROTOCOL §7.4), kept in the data directory for the next start: `MILLISECONDS CRC-32`, one line. Without
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
  const file = wholeFile(dataDir.path(FILE));
  return {
    async read() {
      const bound = readCheckedLine((await file.read()) ?? "");
      return bound !== undefined && /^\d{1,15}$/.test(bound) ? Number(bound) : undefined;
    },
    write: (boundMs) => file.write(checkedLine(`${Math.ceil(boundMs)}`)),
    settled: () => file.settled(),
  };
}
