import { checkedLine, readCheckedLine } from "./checked-line.ts";
import { wholeFile } from "./whole-file.ts";

// The lower bound of freshness (PROTOCOL §7.4), kept in the data directory for the next start: `BOUND/WALL CRC-32`, one line, both in
// milliseconds: the bound, and what this machine's clock showed when it was saved. Without it what was sent before this start is stale by
// the clock alone, so a clock that was set back in between, or that is behind those of the neighbours, would take it again.

const FILE = "freshness";

/** What a log says with E_CLOCK when the bound was reset. */
export const CLOCK_SET_BACK: string =
  "the clock is more than 150 s behind what it was: set it right (NTP); what was sent in between may be taken once more";

/** The file that keeps a freshness bound, in a data directory. */
export type FreshnessFile = {
  /**
   * What was saved last, moved on by as much as this machine's clock has moved on since, in milliseconds since 1970; undefined where
   * there is none, or it is damaged.
   */
  read(wallMs: number): Promise<number | undefined>;
  /** Replaces it; calls are carried out one after the other. Rejects where the disk does. */
  write(boundMs: number, wallMs: number): Promise<void>;
  /** When all writes so far have ended, well or not. */
  settled(): Promise<void>;
};

/** The file of the freshness bound in a data directory. */
export function freshnessFile(dataDir: { path(name: string): string }): FreshnessFile {
  const file = wholeFile(dataDir.path(FILE));
  return {
    async read(wallMs) {
      const saved = /^(\d{1,15})\/(\d{1,15})$/.exec(readCheckedLine((await file.read()) ?? "") ?? "");
      return saved === null ? undefined : Number(saved[1]) + Math.max(0, Math.floor(wallMs) - Number(saved[2]));
    },
    write: (boundMs, wallMs) => file.write(checkedLine(`${Math.ceil(boundMs)}/${Math.floor(wallMs)}`)),
    settled: () => file.settled(),
  };
}
