import { firstBid, raisedBid } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import { type MessageBody, WireError } from "@starling/wire-protocol";
import { type Attempt, sealAttempt } from "./attempt.ts";
import { envelopePrologue } from "./delivery.ts";
import { effortAt } from "./ingress.ts";
import type { OutboxOptions } from "./outbox-output.ts";
import { CLOCK_MAX_MS, clockFailure } from "./outgoing-limits.ts";
import type { Failure, Submission } from "./submission.ts";

/** Makes the attempts at a message: at what bid (PROTOCOL §7.8), and with which timestamp. */
export class Attempts {
  readonly #options: OutboxOptions;
  readonly #prologue: Uint8Array;
  /** By how much our stamps are moved, after a neighbour called one stale; at most ± 120 s. */
  #clockOffsetMs = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#prologue = envelopePrologue(options.network);
  }

  /** Bids what is asked now, if that is more than before. */
  bid(submission: Submission): void {
    const { price, floor } = this.#options;
    submission.bid = Math.max(submission.bid, firstBid(price(submission.message.to), floor(0)));
  }

  /** Raises the bid for an envelope of this size after it was refused, and this effort was told (untrusted). */
  outbid(
    submission: Submission,
    sizeBytes: number,
    { told, isShed }: { readonly told: number; readonly isShed: boolean },
  ): void {
    const { floor } = this.#options;
    submission.bid = raisedBid(submission.bid, told / floor(sizeBytes), isShed, floor(0));
  }

  seal({ message, bid }: Submission, body: MessageBody, now: Now): Attempt | Failure {
    try {
      return sealAttempt({
        ...this.#options,
        prologue: this.#prologue,
        recipient: message.to,
        body,
        timestampMs: Math.round(now.wall + this.#clockOffsetMs),
        effort: (sizeBytes) => effortAt(bid, this.#options.floor(sizeBytes)),
      });
    } catch (error) {
      if (error instanceof WireError) return { code: "E_TOO_LARGE", message: error.message };
      throw error;
    }
  }

  /** A neighbour called our timestamp stale and told its own bound (untrusted, so followed within ± 120 s only). */
  followClock(boundMs: number, now: Now): Failure | undefined {
    const offsetMs = boundMs + 1 - now.wall;
    if (Math.abs(offsetMs) > CLOCK_MAX_MS) return clockFailure(offsetMs);
    // Within a second it is not the clock: the neighbour has just started, or minting took a while.
    this.#clockOffsetMs = Math.abs(offsetMs) < 1000 ? 0 : offsetMs;
    return undefined;
  }
}
