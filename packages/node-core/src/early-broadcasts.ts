import type { Now } from "@starling/peer-manager";
import type { BroadcastMessage } from "./output.ts";

// Broadcasts that are dated ahead of our clock: relayed at once, but handed to programs only when their time has passed. A process that
// starts anew takes nothing older than its start (PROTOCOL §7.4); what an earlier life has handed out is therefore stale to it, and no
// list of what was handed out has to be kept on disk.

// BOUNDED: more are relayed and not handed out. A clock that is right is ahead of ours by milliseconds.
const HELD_MAX = 256;

/** A broadcast, and the time that its author gave it. */
export type DatedBroadcast = { readonly message: BroadcastMessage; readonly timestampMs: number };

export class EarlyBroadcasts {
  readonly #held: DatedBroadcast[] = [];
  #dueMono = Number.POSITIVE_INFINITY;

  /** False when there is no room for it. */
  hold(broadcast: DatedBroadcast, now: Now): boolean {
    if (this.#held.length >= HELD_MAX) return false;
    this.#held.push(broadcast);
    this.#dueMono = Math.min(this.#dueMono, dueMono(broadcast.timestampMs, now));
    return true;
  }

  /** Those whose time has passed, in the order in which they came. */
  take(now: Now): DatedBroadcast[] {
    const due: DatedBroadcast[] = [];
    if (now.mono < this.#dueMono) return due;
    for (let i = 0; i < this.#held.length; ) {
      const { message, timestampMs } = this.#held[i] as DatedBroadcast;
      if (isPast(timestampMs, now)) {
        due.push({ message: { ...message, receivedAtMs: now.wall }, timestampMs });
        this.#held.splice(i, 1);
      } else {
        i += 1;
      }
    }
    // The wall clock may have been stepped since.
    this.#dueMono = Math.min(...this.#held.map(({ timestampMs }) => dueMono(timestampMs, now)));
    return due;
  }

  nextDeadline(): number | null {
    return this.#held.length === 0 ? null : this.#dueMono;
  }
}

/** Whether a process that starts after this millisecond will call it stale. */
export function isPast(timestampMs: number, now: Now): boolean {
  return timestampMs <= now.wall;
}

function dueMono(timestampMs: number, now: Now): number {
  return now.mono + timestampMs - now.wall;
}
