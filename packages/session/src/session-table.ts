// The machine: datagrams in, datagrams and events out, for all peers of one carrier. It routes; what is decided about
// handshakes stands in handshakes.ts and below it, about open links in link-table.ts and the files of a link.
import type { NodeId } from "@starling/crypto-identity";
import {
  type Address,
  COOKIE,
  DATA,
  DATA_HEADER_BYTES,
  DATAGRAM_FRAMES_MAX_BYTES,
  type Data,
  decodeDatagram,
  type Frame,
  HELLO,
  WELCOME,
  type Welcome,
} from "@starling/wire-protocol";
import { UDP_CARRIER } from "./carrier.ts";
import { type CounterName, Counters } from "./counters.ts";
import { DeadlineTable } from "./deadline-table.ts";
import type { Dial } from "./dialer.ts";
import type { Established } from "./established.ts";
import type { CloseReason, SessionEvent, SessionInfo, SessionOwner, Transmit } from "./event.ts";
import { Handshakes } from "./handshakes.ts";
import { IndexTable } from "./index-table.ts";
import { completeLimits, type SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { helloDueMono, linkDeadlineMono } from "./link-deadline.ts";
import { infoOf } from "./link-info.ts";
import { flushLink, type OutputContext } from "./link-output.ts";
import { enqueueFrame, type SendOutcome, sealBye } from "./link-send.ts";
import { type Arrival, LinkTable, type SessionSlot } from "./link-table.ts";
import type { Now } from "./now.ts";
import type { Unconfirmed } from "./responder.ts";
import type { SessionCrypto } from "./session-crypto.ts";
import { isUnicastAddress } from "./source-address.ts";
import { isStun } from "./stun.ts";
import { StunResponder } from "./stun-responder.ts";

/** What a table is made of. */
export type SessionTableOptions = {
  readonly crypto: SessionCrypto;
  /** As many bytes as it is asked for, none of which anybody can guess. */
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly owner: SessionOwner;
  readonly limits?: Partial<SessionLimits>;
  /** Whether a peer may have a link at all; asked at each handshake, in both directions. */
  readonly admits?: ((peer: NodeId) => boolean) | undefined;
};

/**
 * Authenticated sessions with any number of peers. The owner passes in what arrives and the time, and calls `flush` after
 * every other call, sending what it returns, and `tick` (then `flush`) at `nextDeadline`.
 */
export class SessionTable {
  readonly #random: (sizeBytes: number) => Uint8Array;
  readonly #limits: SessionLimits;
  readonly #counters: Counters = new Counters();
  readonly #indexes: IndexTable<SessionSlot | Dial | Unconfirmed>;
  readonly #deadlines: DeadlineTable<Link | Dial> = new DeadlineTable();
  readonly #handshakes: Handshakes;
  readonly #links: LinkTable;
  readonly #stun: StunResponder;
  readonly #scratch: Uint8Array = new Uint8Array(DATAGRAM_FRAMES_MAX_BYTES);
  /** Links to look at in the next flush. BOUNDED: by the links. */
  readonly #touched: Set<Link> = new Set();
  /** Handshake datagrams, STUN answers and Byes for the next flush. BOUNDED: one a call. */
  #outbox: Transmit[] = [];
  /** Events of calls that return none. BOUNDED: one a connect, until the next tick. */
  #pending: SessionEvent[] = [];
  #pendingMono = 0;

  /** Throws `E_BAD_LIMIT`. */
  constructor(options: SessionTableOptions) {
    const { crypto, random, owner } = options;
    this.#random = random;
    this.#limits = completeLimits(options.limits);
    this.#indexes = new IndexTable(random);
    const shared = { crypto, random, owner, limits: this.#limits, counters: this.#counters, indexes: this.#indexes };
    this.#links = new LinkTable({ ...shared, self: crypto.id, carrier: UDP_CARRIER });
    this.#stun = new StunResponder(() => this.#links.validatedIps(), this.#counters);
    this.#handshakes = new Handshakes({
      ...shared,
      deadlines: this.#deadlines,
      links: this.#links,
      admits: options.admits ?? (() => true),
      transmit: (transmit) => this.#outbox.push(transmit),
    });
  }

  /** Every drop reason and handshake result so far; names: CounterName. */
  get counters(): ReadonlyMap<string, number> {
    return this.#counters.values;
  }

  /**
   * Sends Hellos to a peer at these offsets (ms, ascending) until it answers; a link that is open gets new keys that way.
   * A dial to the same peer that its owner started is left alone. Throws `E_TOO_LARGE` for a Lookup that does not fit.
   */
  connect(
    peer: NodeId,
    address: Address,
    now: Now,
    options: { readonly lookup?: Uint8Array; readonly attemptsMs?: readonly number[] } = {},
  ): void {
    this.#handshakes.connect(peer, address, now, options, this.#pending);
    this.#pendingMono = now.mono;
  }

  /** Takes a datagram (docs/PROTOCOL.md §3); never throws, whatever it is: what is not taken is counted. */
  receive(datagram: Uint8Array, from: Address, now: Now): SessionEvent[] {
    if (!isUnicastAddress(from)) return this.#drop("dropped.bad-source");
    if (isStun(datagram)) {
      const answer = this.#stun.answer(datagram, from, now.mono);
      if (answer !== undefined) this.#outbox.push(answer);
      return [];
    }
    const decoded = decodeDatagram(datagram);
    if (!decoded.ok) return this.#drop(`dropped.${decoded.reason}`);
    const { value } = decoded;
    switch (value.kind) {
      case DATA:
        return this.#receiveData(value, { from, sizeBytes: datagram.length, now });
      case HELLO:
        this.#handshakes.hello(value, from, now);
        return [];
      case WELCOME:
        return this.#receiveWelcome(value, { from, sizeBytes: datagram.length, now });
      case COOKIE: {
        const dial = this.#indexes.get(value.receiverIndex);
        if (dial?.type !== "dial") return this.#drop("dropped.cookie-unasked");
        this.#handshakes.cookie(dial, value);
        return [];
      }
    }
  }

  /**
   * Queues a frame; its body must not change afterwards. With a token, a reliable frame is answered by "acknowledged" or
   * "undelivered". Throws `E_RESERVED_KIND` for a kind of the session's own.
   */
  send(peer: NodeId, frame: Frame, now: Now, token?: number): SendOutcome {
    const link = this.#links.get(peer);
    const outcome = enqueueFrame(link, frame, now.mono, token, this.#limits);
    if (link !== undefined) this.#touched.add(link);
    return outcome;
  }

  /** The owner had no answer where it expected one: the peer is probed at once, and dead within 5 s if it does not answer. */
  suspect(peer: NodeId, now: Now): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    link.liveness.suspect(now.mono);
    this.#touched.add(link);
  }

  /** A Pong is wanted now, for what it tells. Nothing follows if none comes. */
  ask(peer: NodeId, now: Now): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    link.liveness.ask(now.mono);
    this.#touched.add(link);
  }

  /** Ends a link with a Bye, or a dial; the next flush carries what was queued and fits, and the Bye. */
  close(peer: NodeId, byeBody: Uint8Array, now: Now): SessionEvent[] {
    const events: SessionEvent[] = [];
    const link = this.#links.get(peer);
    if (link !== undefined) {
      flushLink(link, this.#outputTo(this.#outbox, now));
      const bye = sealBye(link, byeBody);
      if (bye !== undefined) this.#outbox.push(bye);
      this.#close(link, "local", undefined, events, false);
    } else {
      this.#handshakes.forget(peer, undefined);
    }
    return events;
  }

  /** All that may leave now. */
  flush(now: Now): Transmit[] {
    const transmits = this.#outbox;
    this.#outbox = [];
    const context = this.#outputTo(transmits, now);
    for (const link of this.#touched) {
      flushLink(link, context);
      const isDialing = this.#handshakes.isDialing(link.peer);
      const { rekeyAfterMessages } = this.#limits;
      this.#deadlines.set(link, linkDeadlineMono(link, now.mono, { isDialing, rekeyAfterMessages }));
    }
    this.#touched.clear();
    return transmits;
  }

  /** What is due: Hellos, resends, Pings, rekeying, links that went silent. */
  tick(now: Now): SessionEvent[] {
    const events = this.#pending;
    this.#pending = [];
    this.#handshakes.expire(now.mono);
    for (const due of this.#deadlines.takeDue(now.mono)) {
      if (due.type === "dial") {
        const link = this.#handshakes.advance(due, now, events);
        if (link !== undefined) this.#touched.add(link);
      } else if (this.#links.get(due.peer) === due) {
        this.#tickLink(due, now, events);
      }
    }
    return events;
  }

  /** Mono time of the next `tick`, null when nothing is under way. Right after a flush. */
  nextDeadline(): number | null {
    const dueMono = Math.min(
      this.#deadlines.next() ?? Number.POSITIVE_INFINITY,
      this.#handshakes.expiryMono(),
      this.#pending.length > 0 ? this.#pendingMono : Number.POSITIVE_INFINITY,
    );
    return dueMono === Number.POSITIVE_INFINITY ? null : dueMono;
  }

  /** Whether a link to this peer is open. */
  has(peer: NodeId): boolean {
    return this.#links.get(peer) !== undefined;
  }

  /** The link to a peer, if one is open. */
  get(peer: NodeId): SessionInfo | undefined {
    const link = this.#links.get(peer);
    return link && infoOf(link);
  }

  /** The peer on whose link a Data says that it comes: whoever sent it knows the link's index, but it is not opened. */
  peerOf(datagram: Uint8Array): NodeId | undefined {
    if (datagram[0] !== DATA || datagram.length < DATA_HEADER_BYTES) return undefined;
    const named = this.#indexes.get(receiverIndexOf(datagram));
    return named?.type === "session" ? named.link.peer : undefined;
  }

  /** Room that half reassembled frames of all links have been given, at most `limits.reassemblyBytes`. */
  get reassemblyBytes(): number {
    return this.#links.reassemblyBytes;
  }

  /** Every open link. */
  sessions(): SessionInfo[] {
    return [...this.#links.values()].map(infoOf);
  }

  #receiveData(data: Data, arrival: Arrival): SessionEvent[] {
    const events: SessionEvent[] = [];
    const named = this.#indexes.get(data.receiverIndex);
    if (named?.type === "session") {
      const { datagrams } = named.link;
      if (!datagrams.has(arrival.now.mono)) return this.#drop("dropped.link-rate");
      const opened = named.session.open(data);
      if (typeof opened === "string") return this.#drop(opened);
      // Only what is the peer's own counts against it.
      datagrams.take(arrival.now.mono);
      this.#finishReceive(named.link, this.#links.receive(named.link, named.session, opened, arrival, events), events);
    } else if (named?.type === "unconfirmed") {
      const confirmed = this.#handshakes.confirm(named, data, arrival.from);
      if (confirmed === undefined) return events;
      const { established, opened } = confirmed;
      if (this.#links.get(established.peer) === undefined && this.#links.isFull)
        return this.#drop("dropped.table-full");
      const link = this.#links.establish(established, arrival.now, events);
      if (link === undefined) return events;
      this.#finishReceive(link, this.#links.receive(link, established.session, opened, arrival, events), events);
    } else {
      return this.#drop("dropped.unknown-index");
    }
    return events;
  }

  #finishReceive(link: Link, bye: Uint8Array | undefined, events: SessionEvent[]): void {
    this.#touched.add(link);
    if (bye !== undefined) this.#close(link, "bye", bye, events, true);
  }

  #receiveWelcome(welcome: Welcome, { from, sizeBytes, now }: Arrival): SessionEvent[] {
    const dial = this.#indexes.get(welcome.receiverIndex);
    if (dial?.type !== "dial") return this.#drop("dropped.welcome-unasked");
    const finished = this.#handshakes.welcome(dial, welcome, from, now.mono);
    if (finished === undefined) return [];
    const events: SessionEvent[] = [];
    this.#makeRoom(finished.established, events);
    const link = this.#links.establish(finished.established, now, events);
    const { peer, address, isOwners } = dial;
    // The dial is over in any case, and its owner may hold a place for it until it hears so: a peer chooses what it answers from.
    const isAnswered = link !== undefined && finished.established.isValidated;
    if (isOwners) events.push({ type: isAnswered ? "answered" : "unreachable", peer, address });
    if (link === undefined) return events;
    link.liveness.heard(now.mono);
    link.path.received(sizeBytes);
    this.#touched.add(link);
    if (finished.nodes.length > 0) events.push({ type: "nodes", peer: dial.peer, body: finished.nodes });
    return events;
  }

  /** A peer that we asked for comes before the link that was silent for longest. */
  #makeRoom(established: Established, events: SessionEvent[]): void {
    if (this.#links.get(established.peer) !== undefined || !this.#links.isFull) return;
    const stalest = this.#links.stalest();
    if (stalest === undefined) return;
    this.#counters.add("links.evicted");
    this.#close(stalest, "evicted", undefined, events, true);
  }

  #tickLink(link: Link, now: Now, events: SessionEvent[]): void {
    this.#touched.add(link);
    if (!this.#links.tick(link, now, events)) {
      this.#counters.add("links.timed-out");
      this.#close(link, "timeout", undefined, events, true);
      return;
    }
    const isDue = helloDueMono(link, this.#limits.rekeyAfterMessages) <= now.mono;
    if (isDue && !this.#handshakes.isDialing(link.peer)) this.#handshakes.renew(link, now, events);
  }

  #close(
    link: Link,
    reason: CloseReason,
    bye: Uint8Array | undefined,
    events: SessionEvent[],
    tellsDial: boolean,
  ): void {
    this.#links.close(link, reason, bye, events);
    this.#deadlines.set(link, null);
    this.#touched.delete(link);
    this.#handshakes.forget(link.peer, tellsDial ? events : undefined);
  }

  #outputTo(transmits: Transmit[], now: Now): OutputContext {
    const scratch = this.#scratch;
    return { nowMono: now.mono, random: this.#random, counters: this.#counters, transmits, scratch };
  }

  #drop(reason: CounterName): SessionEvent[] {
    this.#counters.add(reason);
    return [];
  }
}

/** Bytes 1 to 4 of a Data, whose length has been looked at. */
function receiverIndexOf(data: Uint8Array): number {
  const at = (i: number) => data[i] as number;
  return ((at(1) << 24) | (at(2) << 16) | (at(3) << 8) | at(4)) >>> 0;
}
