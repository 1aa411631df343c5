import type { Now } from "@starling/peer-manager";
import type { InboxEntry } from "./output.ts";

/** How often it is looked. */
const EVERY_MS = 3_600_000;

/**
 * Which waiting messages are too old to wait on. The clock may be wrong, and then be set right: so a message goes only when it was
 * too old at two looks, an hour of this process apart.
 */
export class InboxAge {
  readonly #maxAgeMs: number;
  #dueMono: number;
  // BOUNDED: by the entries that wait.
  #old: ReadonlySet<string> = new Set();

  constructor(maxAgeMs: number, now: Now) {
    this.#maxAgeMs = maxAgeMs;
    this.#dueMono = now.mono + EVERY_MS;
  }

  /** Monotonic time, ms, of the next look at what waits. */
  get dueMono(): number {
    return this.#dueMono;
  }

  /** Those of these entries, all that wait, that are to be dropped. */
  sweep(waiting: readonly InboxEntry[], now: Now): InboxEntry[] {
    if (now.mono < this.#dueMono) return [];
    this.#dueMono = now.mono + EVERY_MS;
    const old = waiting.filter(({ receivedAtMs }) => now.wall - receivedAtMs > this.#maxAgeMs);
    const dropped = old.filter(({ key }) => this.#old.has(key));
    this.#old = new Set(old.map(({ key }) => key));
    return dropped;
  }
}
