import type { NodeId } from "@starling/crypto-identity";

// How a source tries, PROTOCOL §7.7: once by the best way; then over two other first hops, the second where the first has brought no
// ack soon (Forwarder); then by a node that says the recipient is attached to it; then over two first hops that distance would not
// have chosen; and so on, ever slower, until the deadline.

/** No ack for this long, while the route's round trip is unknown. */
const ATTEMPT_UNKNOWN_MS = 1200;
const ATTEMPT_MIN_MS = 600;
const BACK_OFF_FIRST_MS = 200;
const BACK_OFF_MAX_MS = 5000;
/** The first rungs follow each other without a wait. */
const RUNGS = 4;
// BOUNDED: recipients; the one written to longest ago makes room.
const ROUTES_MAX = 1024;

export type Rung = "single" | "pair" | "lookup";

/** What the attempt after so many others is. */
export function rungOf(tries: number): Rung {
  if (tries === 0) return "single";
  return tries % 2 === 1 ? "pair" : "lookup";
}

/** How long an attempt waits for its ack. */
export function attemptTimerMs(rttMs: number | undefined, tries: number): number {
  const firstMs = rttMs === undefined ? ATTEMPT_UNKNOWN_MS : Math.max(ATTEMPT_MIN_MS, 3 * rttMs);
  return Math.min(BACK_OFF_MAX_MS, firstMs * 1.5 ** Math.max(0, tries - RUNGS));
}

/** How long a source waits after an attempt that was given back. */
export function backOffMs(tries: number): number {
  return Math.min(BACK_OFF_FIRST_MS * 2 ** Math.max(0, tries - 1), BACK_OFF_MAX_MS);
}

/** Round trips to recipients, as measured from Send to SendAck. */
export class RouteTimes {
  readonly #rttMs = new Map<NodeId, number>();

  of(recipient: NodeId): number | undefined {
    return this.#rttMs.get(recipient);
  }

  measured(recipient: NodeId, rttMs: number): void {
    const before = this.#rttMs.get(recipient) ?? rttMs;
    this.#rttMs.delete(recipient);
    this.#rttMs.set(recipient, Math.max(rttMs, before + (rttMs - before) / 4));
    const oldest = this.#rttMs.keys().next();
    if (this.#rttMs.size > ROUTES_MAX && !oldest.done) this.#rttMs.delete(oldest.value);
  }
}
