import type { Now } from "@starling/peer-manager";
import type { Counters } from "./counters.ts";
import type { Freshness } from "./freshness.ts";
import type { ClockSetBack, SaveFreshnessBound } from "./output.ts";

// What the outside is told of the lower bound of freshness, PROTOCOL §7.4: what to keep for the next start, and that the clock is wrong.

const SAVE_BOUND_EVERY_MS = 30_000;
/** A bound that has run ahead of what the next start would make of the saved one by more than this is saved at once. */
const AHEAD_OF_SAVED_MS = 1000;

export class FreshnessWatch {
  readonly #freshness: Freshness;
  readonly #counters: Counters;
  /** When the bound was last saved, by both clocks of the machine, and what it was; at first, what was saved before. */
  #savedMono: number;
  #savedWallMs: number;
  #savedMs: number;
  #clockSteps = 0;

  constructor(freshness: Freshness, counters: Counters, now: Now) {
    this.#freshness = freshness;
    this.#counters = counters;
    this.#savedMono = now.mono;
    this.#savedWallMs = now.wall;
    this.#savedMs = freshness.toSaveMs(now.wall);
  }

  /**
   * `correctionMs`: by how much `now` is not what the machine's own clock shows. Has no deadline of its own: upkeep ticks every 5 s, and
   * a bound that is saved some seconds later is worth as much.
   */
  tick(now: Now, correctionMs: number): (SaveFreshnessBound | ClockSetBack)[] {
    const outputs: (SaveFreshnessBound | ClockSetBack)[] = [];
    const boundMs = this.#freshness.toSaveMs(now.wall);
    const steps = this.#freshness.clockSteps - this.#clockSteps;
    if (steps > 0) {
      this.#clockSteps += steps;
      this.#counters.add("clock.set-back", steps);
      outputs.push({ type: "clock-set-back", wallMs: now.wall });
    }
    const isAhead = boundMs > this.#nextLifeMs(now, correctionMs) + AHEAD_OF_SAVED_MS;
    if (isAhead || now.mono - this.#savedMono >= SAVE_BOUND_EVERY_MS) outputs.push(this.#save(now, correctionMs));
    return outputs;
  }

  /** A broadcast of this time is about to be handed to programs: what the next life must know first, so as not to do it again. */
  beforeHandingOut(timestampMs: number, now: Now, correctionMs: number): SaveFreshnessBound[] {
    return timestampMs > this.#nextLifeMs(now, correctionMs) ? [this.#save(now, correctionMs)] : [];
  }

  /** The last that the next start should know. */
  close(now: Now): SaveFreshnessBound[] {
    return [{ type: "save-freshness-bound", boundMs: this.#freshness.toSaveMs(now.wall) }];
  }

  /**
   * With which bound the next life would begin now. It goes by the machine's clock at first, and moves the saved bound on with it. That
   * clock may have been wrong, as the neighbours say, or set back since; or set on, and who knows for how long.
   */
  #nextLifeMs(now: Now, correctionMs: number): number {
    const sinceMs = now.mono - this.#savedMono;
    return this.#savedMs + Math.min(sinceMs, Math.max(0, now.wall - correctionMs - this.#savedWallMs));
  }

  #save(now: Now, correctionMs: number): SaveFreshnessBound {
    this.#savedMono = now.mono;
    this.#savedWallMs = now.wall - correctionMs;
    this.#savedMs = this.#freshness.toSaveMs(now.wall);
    return { type: "save-freshness-bound", boundMs: this.#savedMs };
  }
}
