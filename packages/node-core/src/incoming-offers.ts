import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";

// Offers of others: which are taken at all, and the one Answer that each gets. A retried Offer repeats the same handshake message in
// a new envelope, so it is known by its ephemeral key and answered with the same bytes, creating nothing (PROTOCOL §9).

const REMEMBER_MS = 60_000;
/** One unasked Offer or Intent a peer in this time. */
const PEER_EVERY_MS = 5000;
/** An Intent that comes so soon after its channel has opened had crossed what led to it. */
const CROSSED_MS = 3000;
/** What follows an Intent of ours within this time was asked for. */
const ASKED_MS = 30_000;
// BOUNDED: the oldest makes room.
const OFFERS_MAX = 1024;
const PEERS_MAX = 4096;
const ASKED_MAX = 256;
const OPENED_MAX = 1024;

type Response = NonNullable<ReturnType<SessionCrypto["respond"]>>;
type Entry = {
  readonly atMono: number;
  readonly response: Response;
  readonly remoteIndex: number;
  answer: Uint8Array | undefined;
};

export class IncomingOffers {
  readonly #offers = new Map<string, Entry>();
  readonly #lastMono = new Map<NodeId, number>();
  readonly #askedMono = new Map<NodeId, number>();
  readonly #openedMono = new Map<NodeId, number>();

  /** We ask this peer for an Offer. */
  ask(peer: NodeId, nowMono: number): void {
    note(this.#askedMono, peer, nowMono, ASKED_MAX);
  }

  /** An Offer of this peer is one that we asked for lately. */
  isAsked(peer: NodeId, nowMono: number): boolean {
    return nowMono - (this.#askedMono.get(peer) ?? Number.NEGATIVE_INFINITY) < ASKED_MS;
  }

  /** A channel has opened: it is what was asked for. */
  opened(peer: NodeId, nowMono: number): void {
    this.#askedMono.delete(peer);
    note(this.#openedMono, peer, nowMono, OPENED_MAX);
  }

  hasOpenedLately(peer: NodeId, nowMono: number): boolean {
    return nowMono - (this.#openedMono.get(peer) ?? Number.NEGATIVE_INFINITY) < CROSSED_MS;
  }

  /** Why an unasked Offer or Intent is not taken; when it is, the peer's turn is used up. */
  refuse(peer: NodeId, hasRoom: boolean, nowMono: number): "budget" | "rate" | undefined {
    if (!hasRoom) return "budget";
    const lastMono = this.#lastMono.get(peer);
    if (lastMono !== undefined && nowMono - lastMono < PEER_EVERY_MS) return "rate";
    note(this.#lastMono, peer, nowMono, PEERS_MAX);
    return undefined;
  }

  /** The Answer that this Offer had, "pending" while it is being made, undefined for a new one. */
  answerTo(peer: NodeId, tag: string): Uint8Array | "pending" | undefined {
    const entry = this.#offers.get(`${peer}:${tag}`);
    return entry === undefined ? undefined : (entry.answer ?? "pending");
  }

  pending(peer: NodeId, tag: string, response: Response, remoteIndex: number, nowMono: number): void {
    this.#offers.set(`${peer}:${tag}`, { atMono: nowMono, response, remoteIndex, answer: undefined });
    const oldest = this.#offers.keys().next();
    if (this.#offers.size > OFFERS_MAX && !oldest.done) this.#offers.delete(oldest.value);
  }

  /** Finishes the handshake of a pending Offer. */
  respond(
    peer: NodeId,
    tag: string,
    payload: Uint8Array,
  ): { readonly message: Uint8Array; readonly keys: SessionKeys; readonly remoteIndex: number } | undefined {
    const entry = this.#offers.get(`${peer}:${tag}`);
    return entry && { ...entry.response.respond(payload), remoteIndex: entry.remoteIndex };
  }

  remember(peer: NodeId, tag: string, answer: Uint8Array): void {
    const entry = this.#offers.get(`${peer}:${tag}`);
    if (entry !== undefined) entry.answer = answer;
  }

  expire(nowMono: number): void {
    for (const [key, { atMono }] of this.#offers) {
      if (atMono + REMEMBER_MS > nowMono) return;
      this.#offers.delete(key);
    }
  }

  nextDeadline(): number | null {
    const oldest = this.#offers.values().next();
    return oldest.done ? null : oldest.value.atMono + REMEMBER_MS;
  }
}

/** Notes the time of a peer, as the newest of at most so many. */
function note(times: Map<NodeId, number>, peer: NodeId, nowMono: number, max: number): void {
  times.delete(peer);
  times.set(peer, nowMono);
  const oldest = times.keys().next();
  if (times.size > max && !oldest.done) times.delete(oldest.value);
}
