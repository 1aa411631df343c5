// Our own Hellos: sent at fixed offsets, always the same bytes, until a Welcome finishes the handshake.
//
//   start -> waiting -(Welcome that finishes)-> Established
//              | Cookie that echoes our mac1: the same Hello again, with the cookie
//              | last attempt and 2 s: unreachable
import { equalBytes, type NodeId } from "@starling/crypto-identity";
import {
  type Address,
  type Cookie,
  decodeWelcomePayload,
  encodeHello,
  encodeHelloPayload,
  HELLO_MAC1_OFFSET,
  setHelloCookie,
  TIMESTAMP_MAX,
  type Welcome,
} from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { Established } from "./established.ts";
import type { Transmit } from "./event.ts";
import type { Indexes } from "./index-table.ts";
import { COOKIE_RETRIES, WELCOME_WAIT_MS } from "./limits.ts";
import { bytesKey, mac1For } from "./mac1.ts";
import type { Now } from "./now.ts";
import { Session } from "./session.ts";
import type { Initiation, SessionCrypto } from "./session-crypto.ts";
import { isSameAddress } from "./source-address.ts";

export type Dial = {
  readonly type: "dial";
  readonly peer: NodeId;
  readonly address: Address;
  readonly localIndex: number;
  readonly localEpoch: Uint8Array;
  readonly initiation: Initiation;
  readonly hello: Uint8Array;
  readonly mac1: Uint8Array;
  readonly attemptsMono: readonly number[];
  /** Asked for by the owner, who hears of its failure; else for a link's own sake. */
  readonly isOwners: boolean;
  nextAttempt: number;
  cookieCount: number;
};

export type DialRequest = {
  readonly peer: NodeId;
  readonly address: Address;
  readonly localEpoch: Uint8Array;
  readonly lookup: Uint8Array;
  readonly attemptsMs: readonly number[];
  readonly isOwners: boolean;
};

export class Dialer {
  // BOUNDED: the table refuses a dial above limits.dials.
  readonly #dials: Map<NodeId, Dial> = new Map();
  readonly #crypto: SessionCrypto;
  readonly #indexes: Indexes<Dial>;
  readonly #counters: Counters;
  #lastTimestampMs = 0;

  constructor(crypto: SessionCrypto, indexes: Indexes<Dial>, counters: Counters) {
    this.#crypto = crypto;
    this.#indexes = indexes;
    this.#counters = counters;
  }

  get size(): number {
    return this.#dials.size;
  }

  get(peer: NodeId): Dial | undefined {
    return this.#dials.get(peer);
  }

  /** Throws the wire protocol's `E_TOO_LARGE` for a Lookup that does not fit a Hello, changing nothing. */
  start(request: DialRequest, now: Now): Dial {
    const { peer, address, localEpoch, lookup, isOwners } = request;
    const timestampMs = Math.min(TIMESTAMP_MAX, Math.max(Math.floor(now.wall), this.#lastTimestampMs + 1));
    const payload = encodeHelloPayload({ timestampMs, epoch: localEpoch, lookup });
    this.#lastTimestampMs = timestampMs;
    const initiation = this.#crypto.initiate(peer, payload);
    const localIndex = this.#indexes.draw();
    const hello = encodeHello(localIndex, initiation.message);
    const mac1 = mac1For(this.#crypto, peer)(hello.subarray(0, HELLO_MAC1_OFFSET));
    hello.set(mac1, HELLO_MAC1_OFFSET);
    const attemptsMono = request.attemptsMs.map((offsetMs) => now.mono + offsetMs);
    const state = { type: "dial" as const, nextAttempt: 0, cookieCount: 0 };
    const dial = { ...state, peer, address, localIndex, localEpoch, initiation, hello, mac1, attemptsMono, isOwners };
    this.#dials.set(peer, dial);
    this.#indexes.set(localIndex, dial);
    this.#counters.add("handshakes.started");
    return dial;
  }

  drop(dial: Dial): void {
    if (this.#dials.get(dial.peer) === dial) this.#dials.delete(dial.peer);
    this.#indexes.delete(dial.localIndex);
  }

  deadlineMono(dial: Dial): number {
    return dial.attemptsMono[dial.nextAttempt] ?? (dial.attemptsMono.at(-1) ?? 0) + WELCOME_WAIT_MS;
  }

  /** The Hello that is due, nothing, or that the dial is over. After a long sleep one Hello stands for all that were missed. */
  tick(dial: Dial, nowMono: number): Transmit | "unreachable" | undefined {
    if (this.deadlineMono(dial) > nowMono) return undefined;
    if (dial.nextAttempt >= dial.attemptsMono.length) {
      this.drop(dial);
      this.#counters.add("handshakes.unreachable");
      return "unreachable";
    }
    while ((dial.attemptsMono[dial.nextAttempt] ?? Number.POSITIVE_INFINITY) <= nowMono) dial.nextAttempt += 1;
    return this.#hello(dial);
  }

  /** Only a Cookie for this very Hello counts: nobody off the path knows its mac1. */
  cookie(dial: Dial, cookie: Cookie): Transmit | undefined {
    if (!equalBytes(cookie.mac1, dial.mac1) || dial.cookieCount >= COOKIE_RETRIES) {
      this.#counters.add("dropped.cookie-unasked");
      return undefined;
    }
    this.#counters.add("cookies.received");
    dial.cookieCount += 1;
    setHelloCookie(dial.hello, cookie.cookie);
    return this.#hello(dial);
  }

  /** Finishes the dial; a Welcome that does not fit changes nothing. */
  welcome(
    dial: Dial,
    welcome: Welcome,
    from: Address,
    nowMono: number,
  ): { readonly established: Established; readonly nodes: Uint8Array } | undefined {
    const finished = dial.initiation.finish(welcome.message);
    if (finished === undefined) {
      this.#counters.add("dropped.handshake");
      return undefined;
    }
    const payload = decodeWelcomePayload(finished.payload);
    if (!payload.ok) {
      this.#counters.add("dropped.welcome-payload");
      return undefined;
    }
    this.drop(dial);
    const { peer, localEpoch, localIndex } = dial;
    const session = new Session({
      localIndex,
      remoteIndex: welcome.senderIndex,
      isInitiator: true,
      remoteEpoch: bytesKey(payload.value.epoch),
      keys: finished.keys,
      nowMono,
    });
    const isValidated = isSameAddress(from, dial.address);
    return { established: { peer, session, localEpoch, address: from, isValidated }, nodes: payload.value.nodes };
  }

  #hello(dial: Dial): Transmit {
    this.#counters.add("hellos.sent");
    // A copy: a cookie may be set in the original while a transport still holds the datagram.
    return { to: dial.address, datagram: dial.hello.slice() };
  }
}
