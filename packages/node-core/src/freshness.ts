import { CLOCK_MAX_MS } from "./outgoing-limits.ts";

// Which timestamps are taken, PROTOCOL §7.4. The lower bound never moves back and is at least the process's start: what a
// filter of an earlier life has forgotten stays out.

const BEHIND_MS = 90_000;
const AHEAD_MS = 30_000;
/** As far as neighbours move a clock (PROTOCOL §7.3), and as far as a timestamp may be ahead of it; decision 29. */
const STEPPED_MS = CLOCK_MAX_MS + AHEAD_MS;

export type FreshnessVerdict = "fresh" | "stale" | "future";

export class Freshness {
  #boundMs: number;
  #toSaveMs: number;
  /** Times the bound stood so far ahead of the wall clock that it was set back: somebody stepped the clock. */
  clockSteps = 0;

  /** `boundMs`: the process's start, or a persisted bound, whichever is later. */
  constructor(boundMs: number) {
    this.#boundMs = boundMs;
    this.#toSaveMs = boundMs;
  }

  /** Timestamps below it are stale; told to the author so that it can stamp anew. */
  boundMs(wallMs: number): number {
    if (this.#boundMs > wallMs + STEPPED_MS) {
      this.#boundMs = wallMs;
      this.#toSaveMs = wallMs;
      this.clockSteps += 1;
    }
    this.#boundMs = Math.max(this.#boundMs, wallMs - BEHIND_MS);
    return this.#boundMs;
  }

  /**
   * What the next start is to take for its bound: the latest time that was seen, so that nothing sent until then is fresh to it, even
   * if the clock is set back in between. It moves back only where the bound is reset.
   */
  toSaveMs(wallMs: number): number {
    this.#toSaveMs = Math.max(this.boundMs(wallMs), this.#toSaveMs, wallMs);
    return this.#toSaveMs;
  }

  judge(timestampMs: number, wallMs: number): FreshnessVerdict {
    if (timestampMs < this.boundMs(wallMs)) return "stale";
    return timestampMs > wallMs + AHEAD_MS ? "future" : "fresh";
  }
}
