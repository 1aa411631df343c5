// Handshakes under way, of both directions, and what they have in common: indexes, epochs, deadlines.
import type { NodeId } from "@starling/crypto-identity";
import { type Address, type Cookie, type Data, EPOCH_BYTES, type Hello, type Welcome } from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { DeadlineTable } from "./deadline-table.ts";
import { type Dial, Dialer } from "./dialer.ts";
import type { Established } from "./established.ts";
import type { SessionEvent, SessionOwner, Transmit } from "./event.ts";
import type { Indexes } from "./index-table.ts";
import { DEFAULT_ATTEMPTS_MS, HEAL_INTERVAL_MS, type SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import type { LinkTable } from "./link-table.ts";
import type { Now } from "./now.ts";
import { Responder, type Unconfirmed } from "./responder.ts";
import type { Opened } from "./session.ts";
import type { SessionCrypto } from "./session-crypto.ts";
import { isUnicastAddress } from "./source-address.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

export type HandshakesOptions = {
  readonly crypto: SessionCrypto;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly owner: SessionOwner;
  readonly limits: SessionLimits;
  readonly counters: Counters;
  readonly indexes: Indexes<Dial> & Indexes<Unconfirmed>;
  readonly deadlines: DeadlineTable<Link | Dial>;
  readonly links: LinkTable;
  /** Whether the owner lets this peer in. */
  readonly admits: (peer: NodeId) => boolean;
  readonly transmit: (transmit: Transmit) => void;
};

export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #dialer: Dialer;
  readonly #responder: Responder;

  constructor(options: HandshakesOptions) {
    const { crypto, indexes, counters, links } = options;
    this.#options = options;
    this.#dialer = new Dialer(crypto, indexes, counters);
    this.#responder = new Responder({
      ...options,
      localEpoch: (peer) => this.#localEpoch(peer),
      hasRoomFor: (peer) => links.get(peer) !== undefined || !links.isFull,
    });
  }

  isDialing(peer: NodeId): boolean {
    return this.#dialer.get(peer) !== undefined;
  }

  /** The owner's dial. Throws `E_TOO_LARGE` for a Lookup that does not fit. */
  connect(
    peer: NodeId,
    address: Address,
    now: Now,
    options: { readonly lookup?: Uint8Array; readonly attemptsMs?: readonly number[] },
    events: SessionEvent[],
  ): void {
    const { crypto, limits, counters } = this.#options;
    const running = this.#dialer.get(peer);
    if (running?.isOwners) return;
    if (
      peer === crypto.id ||
      !this.#options.admits(peer) ||
      !isUnicastAddress(address) ||
      this.#dialer.size >= limits.dials
    ) {
      counters.add("handshakes.unreachable");
      events.push({ type: "unreachable", peer, address });
      return;
    }
    const { lookup = NOTHING, attemptsMs = DEFAULT_ATTEMPTS_MS } = options;
    const localEpoch = this.#localEpoch(peer);
    const dial = this.#dialer.start({ peer, address, localEpoch, lookup, attemptsMs, isOwners: true }, now);
    if (running !== undefined) this.#drop(running);
    this.advance(dial, now, events);
  }

  /** New keys for an open link, because they are due or because its peer fell silent. */
  renew(link: Link, now: Now, events: SessionEvent[]): void {
    const { limits, counters } = this.#options;
    link.helloSent(now.mono + HEAL_INTERVAL_MS);
    // Never to an address that is not proved: a Hello is larger than all that such a one may get.
    const address = link.validatedAddress;
    if (address === undefined || this.#dialer.size >= limits.dials) return;
    const isRekey = link.current.rekeyMono(limits.rekeyAfterMessages) <= now.mono;
    if (!isRekey) counters.add("links.healed");
    const { peer, localEpoch } = link;
    const attemptsMs = isRekey ? DEFAULT_ATTEMPTS_MS : [0];
    const dial = this.#dialer.start({ peer, address, localEpoch, lookup: NOTHING, attemptsMs, isOwners: false }, now);
    this.advance(dial, now, events);
  }

  hello(hello: Hello, from: Address, now: Now): void {
    const answer = this.#responder.hello(hello, from, now);
    if (answer !== undefined) this.#options.transmit(answer);
  }

  cookie(dial: Dial, cookie: Cookie): void {
    const hello = this.#dialer.cookie(dial, cookie);
    if (hello !== undefined) this.#options.transmit(hello);
  }

  welcome(dial: Dial, welcome: Welcome, from: Address, nowMono: number): ReturnType<Dialer["welcome"]> {
    const finished = this.#dialer.welcome(dial, welcome, from, nowMono);
    if (finished !== undefined) this.#options.deadlines.set(dial, null);
    return finished;
  }

  confirm(
    unconfirmed: Unconfirmed,
    data: Data,
    from: Address,
  ): { readonly established: Established; readonly opened: Opened } | undefined {
    return this.#responder.confirm(unconfirmed, data, from);
  }

  /** Sends the Hello of a dial that is due, or ends the dial; the link whose dial ended, which may want another now. */
  advance(dial: Dial, now: Now, events: SessionEvent[]): Link | undefined {
    if (this.#dialer.get(dial.peer) !== dial) return undefined;
    const { deadlines, links, transmit } = this.#options;
    const step = this.#dialer.tick(dial, now.mono);
    if (step !== "unreachable") {
      if (step !== undefined) transmit(step);
      deadlines.set(dial, this.#dialer.deadlineMono(dial));
      return undefined;
    }
    deadlines.set(dial, null);
    if (dial.isOwners) events.push({ type: "unreachable", peer: dial.peer, address: dial.address });
    return links.get(dial.peer);
  }

  /**
   * Forgets what is under way with a peer whose link has ended, for it names an epoch that a later link must not begin
   * with. Without `events` the owner knows already.
   */
  forget(peer: NodeId, events: SessionEvent[] | undefined): void {
    const dial = this.#dialer.get(peer);
    if (dial !== undefined) {
      this.#drop(dial);
      if (dial.isOwners) events?.push({ type: "unreachable", peer, address: dial.address });
    }
    const unconfirmed = this.#responder.get(peer);
    if (unconfirmed !== undefined) this.#responder.drop(unconfirmed);
  }

  /** Unconfirmed sessions whose time is over. Dials have their deadlines in the table of deadlines. */
  expire(nowMono: number): void {
    this.#responder.tick(nowMono);
  }

  expiryMono(): number {
    return this.#responder.deadlineMono();
  }

  #drop(dial: Dial): void {
    this.#dialer.drop(dial);
    this.#options.deadlines.set(dial, null);
  }

  /** The epoch of the link, or of a handshake that may become it, so that crossed Hellos speak of one life. */
  #localEpoch(peer: NodeId): Uint8Array {
    const known = this.#options.links.get(peer) ?? this.#dialer.get(peer) ?? this.#responder.get(peer);
    return known?.localEpoch ?? this.#options.random(EPOCH_BYTES);
  }
}
