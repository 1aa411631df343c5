import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";

// Offers of others: which are taken at all, and the one Answer that each gets. A retried Offer repeats the same handshake message in
// a new envelope, so it is known by its ephemeral key and answered with the same bytes, creating nothing (PROTOCOL §9).

const REMEMBER_MS = 60_000;
/** One unasked Offer or Intent a peer in this time. */
const PEER_EVERY_MS = 5000;
// BOUNDED: the oldest makes room.
const OFFERS_MAX = 1024;
const PEERS_MAX = 4096;

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

  /** Why an unasked Offer or Intent is not taken; when it is, the peer's turn is used up. */
  refuse(peer: NodeId, hasRoom: boolean, nowMono: number): "budget" | "rate" | undefined {
    if (!hasRoom) return "budget";
    const lastMono = this.#lastMono.get(peer);
    if (lastMono !== undefined && nowMono - lastMono < PEER_EVERY_MS) return "rate";
    this.#lastMono.delete(peer);
    this.#lastMono.set(peer, nowMono);
    const oldest = this.#lastMono.keys().next();
    if (this.#lastMono.size > PEERS_MAX && !oldest.done) this.#lastMono.delete(oldest.value);
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
