// Who may be talked to and listened to on a channel's sockets: the budget of checks to addresses that nobody has answered from, and
// the sources that have proved to know a password of this channel. Everything that arrives here is untrusted.
import { createSecretKey, type KeyObject } from "node:crypto";
import type { Address, Description } from "@starling/wire-protocol";
import { hasIntegrity, type StunView } from "./stun-check.ts";
import type { StunProtocol, WeriftAddress } from "./werift.ts";

/** Sources that proved to know a password; a peer has a few addresses, its NAT a few more. */
const SOURCES_MAX = 16;
/**
 * Checks sent to addresses that have not answered, in all: a peer that names ten addresses of somebody else gets no more out of us.
 * Checks of an honest description are through within a few.
 */
const UNPROVEN_CHECKS_MAX = 96;
export const STUN_FIRST_BYTE_MAX = 3;

export class IceGate {
  readonly #ufrag: string;
  readonly #localKey: KeyObject;
  #remote: { readonly username: string; readonly key: KeyObject } | undefined;
  // BOUNDED: SOURCES_MAX.
  readonly #sources: Set<string> = new Set();
  // BOUNDED: one a STUN server.
  readonly #servers: Set<string> = new Set();
  #unprovenChecks = 0;

  constructor(ufrag: string, pwd: string) {
    this.#ufrag = ufrag;
    this.#localKey = createSecretKey(pwd, "utf8");
  }

  /** STUN servers of our own choice may be asked, and answer. */
  expectServers(servers: readonly Address[]): void {
    for (const { ip, port } of servers) this.#servers.add(keyOf([ip, port]));
  }

  /** How the peer proves itself from now on. */
  setRemote({ ufrag, pwd }: Pick<Description, "ufrag" | "pwd">): void {
    this.#remote = { username: `${this.#ufrag}:${ufrag}`, key: createSecretKey(pwd, "utf8") };
  }

  hasProved(source: WeriftAddress): boolean {
    return this.#sources.has(keyOf(source));
  }

  /** Of what werift sends: its checks have a budget. */
  maySend(data: Uint8Array, to: WeriftAddress): boolean {
    const key = keyOf(to);
    if ((data[0] ?? 255) > STUN_FIRST_BYTE_MAX || this.#sources.has(key) || this.#servers.has(key)) return true;
    this.#unprovenChecks += 1;
    return this.#unprovenChecks <= UNPROVEN_CHECKS_MAX;
  }

  /** "admit" for what only the peer can have made: its source has proved itself. `isSettled`: a pair is nominated. */
  judge(
    protocol: StunProtocol,
    data: Buffer,
    view: StunView,
    from: WeriftAddress,
    isSettled: boolean,
  ): "drop" | "pass" | "admit" {
    const verdict = this.#verdict(protocol, data, view, from, isSettled);
    if (verdict === "admit") this.#sources.add(keyOf(from));
    return verdict;
  }

  #verdict(
    protocol: StunProtocol,
    data: Buffer,
    view: StunView,
    from: WeriftAddress,
    isSettled: boolean,
  ): "drop" | "pass" | "admit" {
    // A pair that is nominated stays, so that no more sources are needed: what comes of one now is a replay.
    const isFull = !this.hasProved(from) && (this.#sources.size >= SOURCES_MAX || isSettled);
    if (view.kind === "response") {
      const transaction = protocol.transactions[view.transactionId];
      if (transaction === undefined) return "drop";
      // One of our STUN servers: it has no password, and werift compares the address.
      if (transaction.integrityKey === undefined) return "pass";
      const { key } = this.#remote ?? {};
      return key === undefined || isFull || !hasIntegrity(data, view, key) ? "drop" : "admit";
    }
    const isForUs =
      this.#remote === undefined
        ? view.username?.startsWith(`${this.#ufrag}:`)
        : view.username === this.#remote.username;
    if (!isForUs || isFull) return "drop";
    return hasIntegrity(data, view, this.#localKey) ? "admit" : "drop";
  }
}

function keyOf([ip, port]: WeriftAddress): string {
  return `${ip} ${port}`;
}
