// The open links: how a finished handshake becomes one or renews one, what a datagram does to one, how one ends.
import type { NodeId } from "@starling/crypto-identity";
import { type Address, readFrames } from "@starling/wire-protocol";
import type { Carrier } from "./carrier.ts";
import type { Counters } from "./counters.ts";
import type { Established } from "./established.ts";
import type { CloseReason, SessionEvent, SessionOwner } from "./event.ts";
import type { Indexes } from "./index-table.ts";
import type { SessionLimits } from "./limits.ts";
import { Link } from "./link.ts";
import { takeFrames, tellMove } from "./link-input.ts";
import type { Now } from "./now.ts";
import { ReassemblyBudget } from "./reassembly.ts";
import type { Opened, Session } from "./session.ts";
import { isSameAddress } from "./source-address.ts";

/** Whose Data an index names. */
export type SessionSlot = { readonly type: "session"; readonly session: Session; readonly link: Link };

/** Where a datagram came from, and how large it was. */
export type Arrival = { readonly from: Address; readonly sizeBytes: number; readonly now: Now };

export class LinkTable {
  // BOUNDED: limits.links.
  readonly #links: Map<NodeId, Link> = new Map();
  readonly #self: NodeId;
  readonly #carrier: Carrier;
  readonly #owner: SessionOwner;
  readonly #limits: SessionLimits;
  readonly #counters: Counters;
  readonly #indexes: Indexes<SessionSlot>;
  readonly #budget: ReassemblyBudget;

  constructor(options: {
    readonly self: NodeId;
    readonly carrier: Carrier;
    readonly owner: SessionOwner;
    readonly limits: SessionLimits;
    readonly counters: Counters;
    readonly indexes: Indexes<SessionSlot>;
  }) {
    this.#self = options.self;
    this.#carrier = options.carrier;
    this.#owner = options.owner;
    this.#limits = options.limits;
    this.#counters = options.counters;
    this.#indexes = options.indexes;
    this.#budget = new ReassemblyBudget(options.limits.reassemblyBytes);
  }

  get isFull(): boolean {
    return this.#links.size >= this.#limits.links;
  }

  /** Room that half reassembled frames of all links have been given. */
  get reassemblyBytes(): number {
    return this.#budget.usedBytes;
  }

  get(peer: NodeId): Link | undefined {
    return this.#links.get(peer);
  }

  values(): IterableIterator<Link> {
    return this.#links.values();
  }

  /** Where peers have proved to receive. */
  *validatedIps(): IterableIterator<string> {
    for (const { validatedAddress } of this.#links.values())
      if (validatedAddress !== undefined) yield validatedAddress.ip;
  }

  /** The link that was not heard for longest. */
  stalest(): Link | undefined {
    let stalest: Link | undefined;
    for (const link of this.#links.values()) {
      if (stalest === undefined || link.liveness.lastHeardMono < stalest.liveness.lastHeardMono) stalest = link;
    }
    return stalest;
  }

  /** Opens a link with a new session, or gives an open one its further session; undefined when that is refused. */
  establish(established: Established, now: Now, events: SessionEvent[]): Link | undefined {
    const { peer, session, address, isValidated, localEpoch } = established;
    const known = this.#links.get(peer);
    if (known !== undefined) return this.#renew(known, established, now, events);
    const link = new Link({
      self: this.#self,
      carrier: this.#carrier,
      peer,
      localEpoch,
      session,
      address,
      isValidated,
      budget: this.#budget,
      datagramsPerSecond: this.#limits.datagramsPerSecondLink,
      nowMono: now.mono,
    });
    this.#links.set(peer, link);
    this.#indexes.set(session.localIndex, { type: "session", session, link });
    this.#counters.add("handshakes.completed");
    this.#counters.add("links.opened");
    events.push({ type: "opened", peer, address, initiator: session.isInitiator, restarted: false });
    return link;
  }

  /** What an opened datagram brings; the body of a Bye when there was one. */
  receive(
    link: Link,
    session: Session,
    opened: Opened,
    arrival: Arrival,
    events: SessionEvent[],
  ): Uint8Array | undefined {
    const { from, sizeBytes, now } = arrival;
    link.liveness.heard(now.mono);
    link.traffic.receivedDatagrams += 1;
    link.traffic.receivedBytes += sizeBytes;
    // Only the newest datagram of the keys in use tells where the peer is: older ones may come late from where it was.
    if (opened.isNewest && session === link.current) this.#move(link, from, false, now, events);
    if (isSameAddress(from, link.path.address)) link.path.received(sizeBytes);
    const frames = readFrames(opened.plaintext);
    if (!frames.ok) {
      this.#counters.add("dropped.malformed-frames");
      return undefined;
    }
    return takeFrames(frames.value, { link, from, now, owner: this.#owner, counters: this.#counters, events });
  }

  /** Pings, tries, old keys: what time alone does to a link. False when it is dead. */
  tick(link: Link, now: Now, events: SessionEvent[]): boolean {
    for (const session of link.expireSessions(now.mono)) this.#indexes.delete(session.localIndex);
    if (!link.liveness.tick(now.mono, link.isHurried)) return false;
    this.#counters.add("dropped.fragment-expired", link.reassembly.expire(now.mono));
    const expired = link.sender.expire(now.mono);
    for (const token of expired.tokens) events.push({ type: "undelivered", peer: link.peer, token });
    if (expired.handedBackCount > 0) {
      this.#counters.add("frames.undelivered", expired.handedBackCount);
      link.isSilent = true;
    }
    return true;
  }

  /** Forgets a link and all that is its own; every token it still holds is handed back. */
  close(link: Link, reason: CloseReason, bye: Uint8Array | undefined, events: SessionEvent[]): void {
    const { peer } = link;
    this.#links.delete(peer);
    for (const session of link.sessions) this.#indexes.delete(session.localIndex);
    link.reassembly.clear();
    for (const token of link.sender.outstandingTokens()) events.push({ type: "undelivered", peer, token });
    events.push({ type: "closed", peer, reason, bye });
  }

  #renew(link: Link, established: Established, now: Now, events: SessionEvent[]): Link | undefined {
    const { session, address, isValidated, peer } = established;
    const { outcome, dropped } = link.adopt(session, now.mono);
    for (const { localIndex } of dropped) this.#indexes.delete(localIndex);
    if (outcome === "refused") {
      this.#counters.add("dropped.retired-epoch");
      return undefined;
    }
    this.#indexes.set(session.localIndex, { type: "session", session, link });
    this.#counters.add("handshakes.completed");
    this.#counters.add(outcome === "restarted" ? "links.restarted" : "links.rekeyed");
    this.#move(link, address, isValidated, now, events);
    if (outcome === "restarted") {
      link.toldAddress = address;
      events.push({ type: "opened", peer, address, initiator: session.isInitiator, restarted: true });
    }
    // The initiator's first Data confirms the session to the responder (PROTOCOL §3.3).
    if (outcome === "restarted" || (session.isInitiator && session === link.current)) link.liveness.hurry(now.mono);
    return link;
  }

  #move(link: Link, address: Address, isValidated: boolean, now: Now, events: SessionEvent[]): void {
    if (link.moveTo(address, isValidated, now.mono)) this.#counters.add("links.moved");
    if (isValidated) tellMove(link, events);
  }
}
