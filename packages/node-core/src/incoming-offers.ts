import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import type { SessionCrypto } from "@starling/session";
import { RecentPeers } from "./recent-peers.ts";

// Offers and Intents of others: which are looked at at all, and the one Answer that each Offer gets. A retried Offer repeats the same
// handshake message in a new envelope, so it is known by its ephemeral key and answered with the same bytes, creating nothing
// (PROTOCOL §9).

const REMEMBER_MS = 60_000;
/**
 * One unasked Offer or Intent of a peer is looked at in this time, whether there is a place for it or not: so where not all can have
 * one, a peer's chance does not grow with how often it asks.
 */
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
  readonly #tried = new RecentPeers(PEERS_MAX);
  /** Those whose last dial, by their wish, has led to no channel, or not yet. */
  readonly #begun = new RecentPeers(PEERS_MAX);
  readonly #asked = new RecentPeers(ASKED_MAX);
  readonly #opened = new RecentPeers(OPENED_MAX);

  /** We ask this peer for an Offer. */
  ask(peer: NodeId, nowMono: number): void {
    this.#asked.note(peer, nowMono);
  }

  /** An Offer of this peer is one that we asked for lately. */
  isAsked(peer: NodeId, nowMono: number): boolean {
    return this.#asked.hasWithin(peer, ASKED_MS, nowMono);
  }

  /** Whether an unasked Offer or Intent comes too soon; when not, the peer's turn is used up. */
  isTooSoon(peer: NodeId, nowMono: number): boolean {
    if (this.#tried.hasWithin(peer, PEER_EVERY_MS, nowMono)) return true;
    this.#tried.note(peer, nowMono);
    return false;
  }

  /** A dial begins by this peer's wish. */
  begun(peer: NodeId, nowMono: number): void {
    this.#begun.note(peer, nowMono);
  }

  /** The last dial by this peer's wish came to nothing. */
  hasFailed(peer: NodeId): boolean {
    return this.#begun.has(peer);
  }

  /** A channel has opened: it is what was asked for. */
  opened(peer: NodeId, nowMono: number): void {
    this.#asked.forget(peer);
    this.#begun.forget(peer);
    this.#opened.note(peer, nowMono);
  }

  hasOpenedLately(peer: NodeId, nowMono: number): boolean {
    return this.#opened.hasWithin(peer, CROSSED_MS, nowMono);
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
