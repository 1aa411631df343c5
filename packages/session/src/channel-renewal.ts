// New keys inside an open channel, PROTOCOL §9.1: when they are due, and a Hello and a Welcome that carry the handshake and nothing
// else. What it brings into use is the owner's to give to the link.
//
//   initiator   idle ─ time, or messages ─▶ asked ─ Welcome that opens ─▶ idle, the new session in use
//   responder   idle ─ Hello ─▶ unconfirmed ─ first Data that opens ─▶ idle, the new session in use
//
// The channel loses nothing, so each is sent once, and what waits does so until a newer Hello or the end of the channel.
import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import {
  type ChannelHello,
  type Data,
  encodeChannelHello,
  encodeWelcome,
  HELLO,
  type Welcome,
} from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { Indexes } from "./index-table.ts";
import { HEAL_INTERVAL_MS } from "./limits.ts";
import type { Link } from "./link.ts";
import { type Opened, Session } from "./session.ts";
import type { Initiation, SessionCrypto } from "./session-crypto.ts";
import { TokenBucket } from "./token-bucket.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** Hellos of a peer that are answered at once; after them one in HEAL_INTERVAL_MS. An honest one sends one in two minutes. */
const HELLOS_AT_ONCE = 2;

/** Which peer's renewal an index belongs to. */
export type RenewalSlot = { readonly type: "renewal"; readonly peer: NodeId };

export type ChannelRenewalOptions = {
  readonly crypto: SessionCrypto;
  readonly counters: Counters;
  readonly indexes: Indexes<RenewalSlot>;
  /** The one on the channel, whose keys these are. */
  readonly link: Link;
  /** The owner's name of the channel: the epoch of every session on it. */
  readonly channel: string;
  /** Over the channel. */
  readonly transmit: (datagram: Uint8Array) => void;
  readonly rekeyAfterMessages: number;
  readonly nowMono: number;
};

export class ChannelRenewal {
  readonly #options: ChannelRenewalOptions;
  readonly #hellos: TokenBucket;
  #asked: { readonly initiation: Initiation; readonly localIndex: number } | undefined;
  #unconfirmed: Session | undefined;

  constructor(options: ChannelRenewalOptions) {
    this.#options = options;
    this.#hellos = new TokenBucket(1000 / HEAL_INTERVAL_MS, HELLOS_AT_ONCE, options.nowMono);
  }

  /** When `tick` sends a Hello: never while one waits for its Welcome. */
  dueMono(): number {
    if (this.#asked !== undefined) return Number.POSITIVE_INFINITY;
    const { link, rekeyAfterMessages } = this.#options;
    return Math.max(link.current.rekeyMono(rekeyAfterMessages), link.nextHelloMono);
  }

  tick(nowMono: number): void {
    if (this.dueMono() > nowMono) return;
    const { crypto, counters, link, transmit } = this.#options;
    link.helloSent(nowMono + HEAL_INTERVAL_MS);
    const initiation = crypto.initiate(link.peer, NOTHING);
    const localIndex = this.#own();
    this.#asked = { initiation, localIndex };
    counters.add("handshakes.started");
    counters.add("hellos.sent");
    transmit(encodeChannelHello(localIndex, initiation.message));
  }

  /** Takes what came over the channel; the session that a Welcome finishes. */
  receive(message: ChannelHello | Welcome, nowMono: number): Session | undefined {
    if (message.kind !== HELLO) return this.#welcome(message, nowMono);
    this.#hello(message, nowMono);
    return undefined;
  }

  /** The first Data under the keys of an unconfirmed session; one that does not open changes nothing. */
  confirm(data: Data): { readonly session: Session; readonly opened: Opened } | undefined {
    const session = this.#unconfirmed;
    const opened = session?.localIndex === data.receiverIndex ? session.open(data) : "dropped.unknown-index";
    if (session === undefined || typeof opened === "string") {
      this.#options.counters.add(typeof opened === "string" ? opened : "dropped.unknown-index");
      return undefined;
    }
    this.#unconfirmed = undefined;
    this.#options.indexes.delete(session.localIndex);
    return { session, opened };
  }

  /** The channel has ended, or another has taken its place. */
  forget(): void {
    if (this.#asked !== undefined) this.#options.indexes.delete(this.#asked.localIndex);
    if (this.#unconfirmed !== undefined) this.#options.indexes.delete(this.#unconfirmed.localIndex);
    this.#asked = undefined;
    this.#unconfirmed = undefined;
  }

  /** Answered by a Welcome; the keys in use stay until Data has opened under the new ones. */
  #hello({ senderIndex, message }: ChannelHello, nowMono: number): void {
    const { crypto, counters, indexes, link, transmit } = this.#options;
    if (!this.#hellos.take(nowMono)) {
      counters.add("dropped.rate-limited");
      return;
    }
    const response = crypto.respond(message);
    if (response === undefined || response.initiator !== link.peer) {
      counters.add("dropped.handshake");
      return;
    }
    const answer = response.respond(NOTHING);
    if (this.#unconfirmed !== undefined) indexes.delete(this.#unconfirmed.localIndex);
    this.#unconfirmed = this.#session(this.#own(), senderIndex, false, answer.keys, nowMono);
    counters.add("handshakes.answered");
    counters.add("welcomes.sent");
    transmit(encodeWelcome(this.#unconfirmed.localIndex, senderIndex, answer.message));
  }

  /** One that does not open changes nothing. */
  #welcome({ senderIndex, receiverIndex, message }: Welcome, nowMono: number): Session | undefined {
    const { counters, indexes } = this.#options;
    const asked = this.#asked;
    if (asked?.localIndex !== receiverIndex) {
      counters.add("dropped.welcome-unasked");
      return undefined;
    }
    const finished = asked.initiation.finish(message);
    if (finished === undefined) {
      counters.add("dropped.handshake");
      return undefined;
    }
    this.#asked = undefined;
    indexes.delete(receiverIndex);
    return this.#session(receiverIndex, senderIndex, true, finished.keys, nowMono);
  }

  #own(): number {
    const { indexes, link } = this.#options;
    const index = indexes.draw();
    indexes.set(index, { type: "renewal", peer: link.peer });
    return index;
  }

  #session(localIndex: number, remoteIndex: number, isInitiator: boolean, keys: SessionKeys, nowMono: number): Session {
    return new Session({ localIndex, remoteIndex, isInitiator, remoteEpoch: this.#options.channel, keys, nowMono });
  }
}
