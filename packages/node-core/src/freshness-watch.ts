import type { Now } from "@starling/peer-manager";
import type { Counters } from "./counters.ts";
import type { Freshness } from "./freshness.ts";
import type { ClockSetBack, SaveFreshnessBound } from "./output.ts";

// What the outside is told of the lower bound of freshness, PROTOCOL §7.4: what to keep for the next start, and that the clock is wrong.

const SAVE_BOUND_EVERY_MS = 30_000;

export class FreshnessWatch {
  readonly #freshness: Freshness;
  readonly #counters: Counters;
  #saveDueMono: number;
  #clockSteps = 0;

  constructor(freshness: Freshness, counters: Counters, nowMono: number) {
    this.#freshness = freshness;
    this.#counters = counters;
    this.#saveDueMono = nowMono + SAVE_BOUND_EVERY_MS;
  }

  /** Has no deadline of its own: upkeep ticks every 5 s, and a bound that is saved some seconds later is worth as much. */
  tick(now: Now): (SaveFreshnessBound | ClockSetBack)[] {
    const outputs: (SaveFreshnessBound | ClockSetBack)[] = [];
    const boundMs = this.#freshness.toSaveMs(now.wall);
    const steps = this.#freshness.clockSteps - this.#clockSteps;
    if (steps > 0) {
      this.#clockSteps += steps;
      this.#counters.add("clock.set-back", steps);
      outputs.push({ type: "clock-set-back", wallMs: now.wall });
    }
    if (now.mono >= this.#saveDueMono) {
      this.#saveDueMono = now.mono + SAVE_BOUND_EVERY_MS;
      outputs.push({ type: "save-freshness-bound", boundMs });
    }
    return outputs;
  }

  /** The last that the next start should know. */
  close(now: Now): SaveFreshnessBound[] {
    return [{ type: "save-freshness-bound", boundMs: this.#freshness.toSaveMs(now.wall) }];
  }
}
