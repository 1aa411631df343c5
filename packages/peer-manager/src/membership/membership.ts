import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type {
  Address,
  Announce,
  Bye,
  Contact,
  Lookup,
  NodeRecord,
  NodeRole,
  Nodes,
  Pong,
} from "@starling/wire-protocol";
import { CONTACTS_MAX, signNodeRecord, verifyNodeRecord } from "@starling/wire-protocol";
import { sortByDistance } from "../distance.ts";
import type { Now } from "../now.ts";
import { BootstrapDialler } from "./bootstrap.ts";
import { PeerTable } from "./peer-table.ts";
import { acceptsContact, blockOf } from "./scope.ts";

// Who my neighbours are and which of them carry my messages, PROTOCOL §4. Bootstrap nodes are dialled for ever; presence is an
// Announce to the anchors each minute. Until dial-back exists only configured bootstrap nodes count as reachable, so hearsay
// is checked, counted and not dialled.

const ANCHORS = 4;
const ANNOUNCE_EVERY_MS = 60_000;
const CONTACTS_IN_PONG = 4;

export type Neighbour = {
  readonly id: NodeId;
  readonly address: Address;
  readonly sinceMono: number;
  /** Carries messages for others as far as we know: a configured bootstrap node whose session lives. */
  readonly reachable: boolean;
  /** It counts us among its own anchors. */
  readonly anchoredToUs: boolean;
  /** From its last valid Announce. */
  readonly record: NodeRecord | undefined;
};

export type MembershipOutput =
  | { readonly type: "dial"; readonly peer: NodeId; readonly address: Address }
  | { readonly type: "send"; readonly peer: NodeId; readonly message: Announce | Nodes }
  | { readonly type: "hang-up"; readonly peer: NodeId; readonly reason: Bye["reason"] }
  | { readonly type: "dropped"; readonly reason: string };

export type MembershipOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly role: NodeRole;
  readonly bootstrap: readonly Contact[];
  /** Addresses the operator says this node is reachable at (`--announce`); they stand in its record. */
  readonly announce: readonly Address[];
  readonly maxNeighbours: number;
  readonly random: RandomSource;
};

export class Membership {
  readonly #options: MembershipOptions;
  readonly #self: NodeId;
  readonly #table: PeerTable;
  readonly #bootstrap: BootstrapDialler;
  // BOUNDED: maxNeighbours; one more is told Bye{full} and never entered.
  readonly #neighbours = new Map<NodeId, Neighbour>();
  #announceDueMono: number | null = null;
  #lastSequence = 0;
  #observed: Address | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#self = options.identity.id;
    this.#table = new PeerTable(this.#self);
    this.#bootstrap = new BootstrapDialler(
      options.bootstrap.filter((contact) => contact.id !== this.#self),
      options.random,
    );
  }

  opened(peer: NodeId, address: Address, now: Now): MembershipOutput[] {
    const known = this.#neighbours.get(peer);
    if (known === undefined && this.#neighbours.size >= this.#options.maxNeighbours && !this.#bootstrap.has(peer)) {
      return [
        { type: "hang-up", peer, reason: "full" },
        { type: "dropped", reason: "neighbour-full" },
      ];
    }
    const reachable = this.#bootstrap.has(peer);
    this.#neighbours.set(peer, {
      id: peer,
      address,
      sinceMono: now.mono,
      reachable,
      anchoredToUs: known?.anchoredToUs ?? false,
      record: known?.record,
    });
    this.#bootstrap.opened(peer);
    if (!reachable) return [];
    this.#table.verified({ id: peer, address }, now.mono);
    this.#announceDueMono ??= now.mono + ANNOUNCE_EVERY_MS;
    return [this.#announceTo(peer, now)];
  }

  moved(peer: NodeId, address: Address): void {
    const known = this.#neighbours.get(peer);
    if (known !== undefined) this.#neighbours.set(peer, { ...known, address });
  }

  closed(peer: NodeId, now: Now): void {
    this.#neighbours.delete(peer);
    this.#table.forget(peer);
    this.#bootstrap.lost(peer, now);
  }

  unanswered(peer: NodeId, now: Now): void {
    this.#bootstrap.lost(peer, now);
  }

  /** A message of membership from a neighbour. Its contents are untrusted. */
  received(peer: NodeId, message: Announce | Lookup | Nodes | Pong, now: Now): MembershipOutput[] {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return [{ type: "dropped", reason: "not-a-neighbour" }];
    switch (message.type) {
      case "announce":
        return this.#announced(neighbour, message);
      case "lookup": {
        const answer = this.answer(message, neighbour.address);
        return [{ type: "send", peer, message: answer }];
      }
      case "pong":
        if (acceptsContact(message.observed, neighbour.address)) this.#observed = message.observed;
        if (neighbour.reachable) this.#table.verified({ id: peer, address: neighbour.address }, now.mono);
        return refusedContacts(message.contacts, neighbour.address);
      case "nodes":
        return refusedContacts(message.contacts, neighbour.address);
    }
  }

  /** What a Lookup is answered; read-only, so that one inside an unconfirmed Hello may be answered too. */
  answer(lookup: Lookup, askerAddress: Address): Nodes {
    return {
      type: "nodes",
      query: lookup.query,
      attached: this.#neighbours.has(lookup.target),
      contacts: this.#table.closest(lookup.target, CONTACTS_MAX, askerAddress),
    };
  }

  /** The verified contacts that a Pong to this address tells of. */
  sample(askerAddress: Address): readonly Contact[] {
    return this.#table.closest(this.#self, CONTACTS_IN_PONG, askerAddress);
  }

  tick(now: Now): MembershipOutput[] {
    const outputs: MembershipOutput[] = this.#bootstrap
      .due(now)
      .map(({ id, address }) => ({ type: "dial", peer: id, address }));
    if (this.#announceDueMono !== null && now.mono >= this.#announceDueMono) {
      const anchors = this.anchors();
      this.#announceDueMono = anchors.length > 0 ? now.mono + ANNOUNCE_EVERY_MS : null;
      for (const anchor of anchors) outputs.push(this.#announceTo(anchor.id, now));
    }
    return outputs;
  }

  nextDeadline(): number | null {
    const dial = this.#bootstrap.nextDeadline();
    if (dial === null || this.#announceDueMono === null) return dial ?? this.#announceDueMono;
    return Math.min(dial, this.#announceDueMono);
  }

  /** My 4 closest reachable neighbours, at most one of a block. */
  anchors(): Neighbour[] {
    const blocks = new Set<string>();
    const reachable = [...this.#neighbours.values()].filter((neighbour) => neighbour.reachable);
    return sortByDistance(this.#self, reachable)
      .filter(({ address }) => {
        const block = blockOf(address.ip);
        if (block === undefined) return true;
        if (blocks.has(block)) return false;
        blocks.add(block);
        return true;
      })
      .slice(0, ANCHORS);
  }

  neighbour(id: NodeId): Neighbour | undefined {
    return this.#neighbours.get(id);
  }

  neighbours(): Neighbour[] {
    return [...this.#neighbours.values()];
  }

  /** The address that the neighbour asked last sees us at; hearsay, for people and for candidates only. */
  get observed(): Address | undefined {
    return this.#observed;
  }

  /** Signs a record of ourselves as of now. */
  record(now: Now): NodeRecord {
    const { identity, network, role, announce, random } = this.#options;
    this.#lastSequence = Math.max(now.wall, this.#lastSequence + 1);
    return signNodeRecord({ identity, network, role, addresses: announce, sequence: this.#lastSequence, random });
  }

  #announceTo(peer: NodeId, now: Now): MembershipOutput {
    const anchor = this.anchors().some(({ id }) => id === peer);
    return { type: "send", peer, message: { type: "announce", anchor, record: this.record(now) } };
  }

  #announced(neighbour: Neighbour, { anchor, record }: Announce): MembershipOutput[] {
    // Cheapest first: whose record it is and whether it is newer, before a curve operation is spent on its signature.
    if (record.id !== neighbour.id) return [{ type: "dropped", reason: "announce-of-another" }];
    if (neighbour.record !== undefined && record.sequence <= neighbour.record.sequence) {
      return [{ type: "dropped", reason: "announce-old" }];
    }
    if (!record.addresses.every((address) => acceptsContact(address, neighbour.address))) {
      return [{ type: "dropped", reason: "announce-scope" }];
    }
    if (!verifyNodeRecord(this.#options.network, record)) return [{ type: "dropped", reason: "announce-signature" }];
    this.#neighbours.set(neighbour.id, { ...neighbour, record, anchoredToUs: anchor });
    return [];
  }
}

function refusedContacts(contacts: readonly Contact[], from: Address): MembershipOutput[] {
  return contacts
    .filter((contact) => !acceptsContact(contact.address, from))
    .map(() => ({ type: "dropped", reason: "contact-scope" }));
}
