// Other nodes' Hellos. Everything here is done for strangers, so it is a ladder, cheapest rung first (PROTOCOL §3.3):
//
//   mac1 -> over its rate: a Cookie, or nothing where it has one -> the Hello already answered: the same Welcome again
//        -> under load: a Cookie, or nothing where it has one -> DH -> timestamp: a Cookie, unless one settles it
//        -> Welcome, an unconfirmed session -> (first Data that opens) Established
//
// A Hello replaces nothing: until then the peer's open link, its timestamp and its address stay as they are.
import { equalBytes, type NodeId } from "@starling/crypto-identity";
import {
  type Address,
  type Data,
  decodeHelloPayload,
  encodeCookie,
  encodeWelcome,
  encodeWelcomePayload,
  type Hello,
  type HelloPayload,
  WELCOME_PAYLOAD_MAX_BYTES,
} from "@starling/wire-protocol";
import { CookieJar } from "./cookie.ts";
import type { Counters } from "./counters.ts";
import type { Established } from "./established.ts";
import type { SessionOwner, Transmit } from "./event.ts";
import type { Indexes } from "./index-table.ts";
import { HelloLimiter, LoadMeter } from "./limiter.ts";
import { type SessionLimits, UNCONFIRMED_MS } from "./limits.ts";
import { bytesKey, mac1For } from "./mac1.ts";
import type { Now } from "./now.ts";
import { type Opened, Session } from "./session.ts";
import type { Response, SessionCrypto } from "./session-crypto.ts";
import { isSameAddress } from "./source-address.ts";

/** Welcome payload without its Nodes: epoch 8, length 2. */
const NODES_MAX_BYTES: number = WELCOME_PAYLOAD_MAX_BYTES - 10;

export type Unconfirmed = {
  readonly type: "unconfirmed";
  readonly peer: NodeId;
  readonly session: Session;
  readonly localEpoch: Uint8Array;
  readonly timestampMs: number;
  readonly helloKey: string;
  readonly helloFrom: Address;
  readonly welcome: Uint8Array;
  readonly expiresMono: number;
};

export type ResponderOptions = {
  readonly crypto: SessionCrypto;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly owner: SessionOwner;
  readonly limits: SessionLimits;
  readonly counters: Counters;
  readonly indexes: Indexes<Unconfirmed>;
  /** The epoch that this peer knows or is about to know us by. */
  readonly localEpoch: (peer: NodeId) => Uint8Array;
  /** Whether the owner lets this peer in. */
  readonly admits: (peer: NodeId) => boolean;
  /** Whether there is room for a link to this peer. */
  readonly hasRoomFor: (peer: NodeId) => boolean;
};

export class Responder {
  readonly #options: ResponderOptions;
  readonly #mac1: (authenticated: Uint8Array) => Uint8Array;
  readonly #cookies: CookieJar;
  readonly #load: LoadMeter;
  readonly #provedLoad: LoadMeter;
  /** One limiter for sources that may be forged, one for those that brought a cookie: the former cannot use up the latter. */
  readonly #unprovedLimiter: HelloLimiter;
  readonly #provedLimiter: HelloLimiter;
  // BOUNDED: limits.unconfirmed, one an id, 10 s; oldest out. In the order of their expiry.
  readonly #unconfirmed: Map<NodeId, Unconfirmed> = new Map();
  /** The same, by mac1, which names the Hello's bytes. */
  readonly #byHello: Map<string, Unconfirmed> = new Map();
  // BOUNDED: limits.timestamps, least recently confirmed out.
  readonly #timestampsMs: Map<NodeId, number> = new Map();

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#mac1 = mac1For(options.crypto, options.crypto.id);
    this.#cookies = new CookieJar(options.crypto, options.random);
    this.#load = new LoadMeter(options.limits.handshakesPerSecond);
    this.#provedLoad = new LoadMeter(options.limits.provedHandshakesPerSecond);
    this.#unprovedLimiter = new HelloLimiter(options.limits);
    this.#provedLimiter = new HelloLimiter(options.limits);
  }

  get size(): number {
    return this.#unconfirmed.size;
  }

  get(peer: NodeId): Unconfirmed | undefined {
    return this.#unconfirmed.get(peer);
  }

  /** The one datagram that answers a Hello, if any does: a Welcome or a Cookie, never larger than the Hello. */
  hello(hello: Hello, from: Address, now: Now): Transmit | undefined {
    const { counters } = this.#options;
    if (!equalBytes(hello.mac1, this.#mac1(hello.authenticated))) {
      counters.add("dropped.mac1");
      return undefined;
    }
    const isProved = this.#cookies.isValid(hello.cookie, from, hello.mac1, now.mono);
    const isAllowed = (isProved ? this.#provedLimiter : this.#unprovedLimiter).take(from, now.mono);
    if (!isAllowed) counters.add("dropped.rate-limited");
    if (!isAllowed && isProved) return undefined;
    const answered = this.#byHello.get(bytesKey(hello.mac1));
    if (isAllowed && answered !== undefined && answered.expiresMono > now.mono) {
      counters.add("welcomes.repeated");
      return { to: from, datagram: answered.welcome };
    }
    if (!isProved && (!isAllowed || this.#load.isLoaded(now.mono))) return this.#cookie(hello, from, now);
    const load = isProved ? this.#provedLoad : this.#load;
    if (load.isLoaded(now.mono)) {
      counters.add("dropped.rate-limited");
      return undefined;
    }
    load.note(now.mono);
    counters.add("handshakes.answered");
    return this.#read(hello, from, now, isProved);
  }

  /** The first Data under a new session's keys; anything that does not open changes nothing. */
  confirm(
    unconfirmed: Unconfirmed,
    data: Data,
    from: Address,
  ): { readonly established: Established; readonly opened: Opened } | undefined {
    const { session, peer, localEpoch } = unconfirmed;
    // The owner may have changed its mind since the Hello.
    if (!this.#options.admits(peer)) {
      this.drop(unconfirmed);
      this.#options.counters.add("dropped.denied");
      return undefined;
    }
    const opened = session.open(data);
    if (typeof opened === "string") {
      this.#options.counters.add(opened);
      return undefined;
    }
    this.drop(unconfirmed);
    this.#remember(peer, unconfirmed.timestampMs);
    this.#options.indexes.delete(session.localIndex);
    // The Welcome, without which nobody has these keys, went to where the Hello came from.
    const isValidated = isSameAddress(from, unconfirmed.helloFrom);
    return { established: { peer, session, localEpoch, address: from, isValidated }, opened };
  }

  drop(unconfirmed: Unconfirmed): void {
    this.#unconfirmed.delete(unconfirmed.peer);
    this.#byHello.delete(unconfirmed.helloKey);
    this.#options.indexes.delete(unconfirmed.session.localIndex);
  }

  deadlineMono(): number {
    for (const unconfirmed of this.#unconfirmed.values()) return unconfirmed.expiresMono;
    return Number.POSITIVE_INFINITY;
  }

  tick(nowMono: number): void {
    for (const unconfirmed of this.#unconfirmed.values()) {
      if (unconfirmed.expiresMono > nowMono) return;
      this.drop(unconfirmed);
    }
  }

  #read(hello: Hello, from: Address, now: Now, isProved: boolean): Transmit | undefined {
    const { crypto, counters, admits, hasRoomFor } = this.#options;
    const response = crypto.respond(hello.message);
    if (response === undefined) {
      counters.add("dropped.handshake");
      return undefined;
    }
    const payload = decodeHelloPayload(response.payload);
    if (!payload.ok) {
      counters.add("dropped.hello-payload");
      return undefined;
    }
    const { initiator } = response;
    if (initiator === crypto.id) {
      counters.add("dropped.self");
      return undefined;
    }
    if (!admits(initiator)) {
      counters.add("dropped.denied");
      return undefined;
    }
    if (this.#isStale(initiator, payload.value.timestampMs, isProved)) return this.#cookie(hello, from, now);
    if (!hasRoomFor(initiator)) {
      counters.add("dropped.table-full");
      return undefined;
    }
    return this.#welcome(hello, response, payload.value, from, now);
  }

  /**
   * Whether a Hello is older than one we know: perhaps a replay, perhaps a clock that went back. A cookie settles it, but
   * against a newer Hello that may be confirmed any moment it waits until that one has expired.
   */
  #isStale(initiator: NodeId, timestampMs: number, isProved: boolean): boolean {
    const held = this.#unconfirmed.get(initiator);
    if (held !== undefined && timestampMs <= held.timestampMs) return true;
    return !isProved && timestampMs <= (this.#timestampsMs.get(initiator) ?? -1);
  }

  #welcome(hello: Hello, response: Response, payload: HelloPayload, from: Address, now: Now): Transmit {
    const { owner, limits, counters, indexes } = this.#options;
    const peer = response.initiator;
    const asked = payload.lookup.length > 0 ? owner.nodesBody(payload.lookup, from) : new Uint8Array(0);
    const nodes = asked.length <= NODES_MAX_BYTES ? asked : new Uint8Array(0);
    const localEpoch = this.#options.localEpoch(peer);
    const written = response.respond(encodeWelcomePayload({ epoch: localEpoch, nodes }));
    const localIndex = indexes.draw();
    const session = new Session({
      localIndex,
      remoteIndex: hello.senderIndex,
      isInitiator: false,
      remoteEpoch: bytesKey(payload.epoch),
      keys: written.keys,
      nowMono: now.mono,
    });
    const unconfirmed: Unconfirmed = {
      type: "unconfirmed",
      peer,
      session,
      localEpoch,
      timestampMs: payload.timestampMs,
      helloKey: bytesKey(hello.mac1),
      helloFrom: from,
      welcome: encodeWelcome(localIndex, hello.senderIndex, written.message),
      expiresMono: now.mono + UNCONFIRMED_MS,
    };
    this.#makeRoom(peer, limits.unconfirmed);
    this.#unconfirmed.set(peer, unconfirmed);
    this.#byHello.set(unconfirmed.helloKey, unconfirmed);
    indexes.set(localIndex, unconfirmed);
    counters.add("welcomes.sent");
    return { to: from, datagram: unconfirmed.welcome };
  }

  #makeRoom(peer: NodeId, max: number): void {
    const replaced = this.#unconfirmed.get(peer);
    if (replaced !== undefined) {
      this.drop(replaced);
      return;
    }
    if (this.#unconfirmed.size < max) return;
    for (const oldest of this.#unconfirmed.values()) {
      this.drop(oldest);
      return;
    }
  }

  #cookie(hello: Hello, from: Address, now: Now): Transmit {
    this.#options.counters.add("cookies.sent");
    const cookie = this.#cookies.make(from, hello.mac1, now.mono);
    return { to: from, datagram: encodeCookie(hello.senderIndex, hello.mac1, cookie) };
  }

  /** Only forward: a clock that went back is let in by cookie, and what it sent before stays a replay. */
  #remember(peer: NodeId, timestampMs: number): void {
    const known = this.#timestampsMs.get(peer) ?? -1;
    this.#timestampsMs.delete(peer);
    this.#timestampsMs.set(peer, Math.max(known, timestampMs));
    if (this.#timestampsMs.size <= this.#options.limits.timestamps) return;
    for (const oldest of this.#timestampsMs.keys()) {
      this.#timestampsMs.delete(oldest);
      return;
    }
  }
}
