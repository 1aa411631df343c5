import type { NodeId } from "@starling/crypto-identity";

// How a source tries, PROTOCOL §7.7: once by the best way; then over two other first hops, the second where the first has brought no
// ack soon (Forwarder); then by a node that says the recipient is attached to it; then over two first hops that distance would not
// have chosen; and so on, ever slower, until the deadline.

const ATTEMPT_MIN_MS = 600;
/** A round trip to anybody, before one has been measured: rather too long, since an attempt that was given up too soon is paid twice. */
const TYPICAL_FIRST_MS = 800;
/** How long a Direct waits for its answer, while its link's round trip is unknown. */
const DIRECT_UNKNOWN_MS = 1200;
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
export function attemptTimerMs(rttMs: number, tries: number): number {
  return Math.min(BACK_OFF_MAX_MS, Math.max(ATTEMPT_MIN_MS, 3 * rttMs) * 1.5 ** Math.max(0, tries - RUNGS));
}

/** How long a Direct waits for its answer; `before`: how often it was handed to the same channel in vain. */
export function directTimerMs(linkRttMs: number | undefined, before: number): number {
  const firstMs = linkRttMs === undefined ? DIRECT_UNKNOWN_MS : attemptTimerMs(linkRttMs, 0);
  return Math.min(firstMs * 2 ** before, BACK_OFF_MAX_MS);
}

/** How long a source waits after an attempt that was given back. */
export function backOffMs(tries: number): number {
  return Math.min(BACK_OFF_FIRST_MS * 2 ** Math.max(0, tries - 1), BACK_OFF_MAX_MS);
}

/** Round trips to recipients, as measured from Send to SendAck. */
export class RouteTimes {
  readonly #rttMs = new Map<NodeId, number>();
  #typicalMs = TYPICAL_FIRST_MS;

  /** In ms; of a recipient that no ack has come from, what they are to others: ways grow with the network, by how much none can know. */
  of(recipient: NodeId): number {
    return this.#rttMs.get(recipient) ?? this.#typicalMs;
  }

  measured(recipient: NodeId, rttMs: number): void {
    this.#typicalMs += (rttMs - this.#typicalMs) / 8;
    const before = this.#rttMs.get(recipient) ?? rttMs;
    this.#rttMs.delete(recipient);
    this.#rttMs.set(recipient, Math.max(rttMs, before + (rttMs - before) / 4));
    const oldest = this.#rttMs.keys().next();
    if (this.#rttMs.size > ROUTES_MAX && !oldest.done) this.#rttMs.delete(oldest.value);
  }
}
