import type { NodeId } from "@starling/crypto-identity";
import type { Address, Announce, ByeReason, Contact, DialBack, Lookup, Nodes, Pong } from "@starling/wire-protocol";
import { CONTACTS_MAX } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import { Allowances } from "./allowances.ts";
import { Announcer } from "./announcer.ts";
import { BLOCK_LIMITS } from "./block-limits.ts";
import { BootstrapDialler } from "./bootstrap.ts";
import { CandidatePool } from "./candidate-pool.ts";
import { DialBacks } from "./dial-back.ts";
import { Dials } from "./dials.ts";
import { Hearsay } from "./hearsay.ts";
import { HearsayBudget } from "./hearsay-budget.ts";
import { Introductions } from "./introductions.ts";
import { LinkLife } from "./link-life.ts";
import { LinkUpkeep } from "./link-upkeep.ts";
import { type Neighbour, Neighbours, type PeerView } from "./neighbours.ts";
import { ObservedAddress } from "./observed-address.ts";
import type { LinkView, MembershipOptions, MembershipOutput } from "./options.ts";
import { PeerTable } from "./peer-table.ts";
import { PeersToSave, SAVED_MAX } from "./peers-to-save.ts";
import { Reachability } from "./reachability.ts";
import { Room } from "./room.ts";

// Who my neighbours are, whom I know besides, and whether others can reach me, PROTOCOL §6. What it is told is hearsay until a dial
// was answered; what it hands on has answered. Here the parts are put together and asked; each decides one thing.
//
//   named by somebody ──▶ candidate ─ dialled ─▶ neighbour ─ its record holds the address that answered ─▶ reachable: in the table,
//     (3 Hellos an address and 10 min)             │ link ends                                             an anchor or of a bucket
//                                                  ▼
//                                    in the table: dialled again where wanted, 1-30 s      else: forgotten

const CONTACTS_IN_PONG = 4;
/** The others are the closest to the asker. */
const CONTACTS_BY_CHANCE = 2;
/**
 * A Lookup costs its answerer a walk over the table, which neither a stamp nor a signature pays for. At once as many as a node has
 * searches under way, which may all begin with the same neighbour.
 */
const LOOKUPS_PER_SECOND = 20;
const LOOKUPS_AT_ONCE = 64;
/** A link opened to ask somebody is kept so long, for what is sent next. */
const ASKED_KEEP_MS = 30_000;

/**
 * Who the neighbours are and should be: links, anchors, verified contacts, dials, bootstrap, reachability, the clock
 * (docs/PROTOCOL.md §6).
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #self: NodeId;
  readonly #table: PeerTable;
  readonly #bootstrap: BootstrapDialler;
  readonly #reachability: Reachability;
  readonly #dials: Dials;
  readonly #dialBacks: DialBacks;
  readonly #observed = new ObservedAddress();
  readonly #announcer: Announcer;
  // BOUNDED: maxNeighbours, and those that Room lets in beyond it for a while.
  readonly #neighbours: Neighbours;
  readonly #lookups = new Allowances(LOOKUPS_AT_ONCE, 1000 / LOOKUPS_PER_SECOND);
  readonly #room: Room;
  readonly #introductions: Introductions;
  readonly #hearsay: Hearsay;
  readonly #links: LinkLife;
  readonly #upkeep: LinkUpkeep;
  readonly #toSave: PeersToSave;

  constructor(options: MembershipOptions, links: LinkView, now: Now) {
    const { identity, network, bootstrap, saved = [], random, announce, passive = false } = options;
    const self = identity.id;
    this.#options = options;
    this.#self = self;
    const limits = { ...BLOCK_LIMITS, ...options.blockLimits };
    this.#table = new PeerTable(self, random, limits);
    const pool = new CandidatePool(self, limits);
    this.#neighbours = new Neighbours(self, limits.anchors);
    this.#reachability = new Reachability(announce.length > 0, random);
    this.#announcer = new Announcer(options, this.#neighbours, this.#reachability, this.#observed);
    const budget = new HearsayBudget();
    const dialBacks = new DialBacks({
      ...{ self, neighbours: this.#neighbours, budget, random },
      isDialling: (peer) => this.#dials.has(peer),
    });
    this.#dials = new Dials(self, budget, dialBacks);
    this.#room = new Room(options.maxNeighbours, this.#neighbours);
    const others = (contacts: readonly Contact[]) => contacts.filter(({ id }) => id !== self);
    this.#bootstrap = new BootstrapDialler(others(bootstrap), others(saved).slice(0, SAVED_MAX), random);
    for (const contact of others(saved)) pool.hear(contact);

    const shared = {
      ...{ self, limits, pool, dialBacks, passive },
      ...links,
      neighbours: this.#neighbours,
      table: this.#table,
      dials: this.#dials,
      room: this.#room,
      bootstrap: this.#bootstrap,
      announcer: this.#announcer,
      reachability: this.#reachability,
      observed: this.#observed,
      soon: (nowMono: number) => this.#upkeep.soon(nowMono),
    };
    const introductions = new Introductions({ ...shared, network });
    this.#introductions = introductions;
    this.#hearsay = new Hearsay(shared);
    this.#links = new LinkLife({ ...shared, introductions, hearsay: this.#hearsay });
    this.#upkeep = new LinkUpkeep({ ...shared, introductions, announce, random }, now.mono);
    this.#dialBacks = dialBacks;
    this.#toSave = new PeersToSave(this.#neighbours, this.#table, now.mono);
  }

  /** A link opened; `dialled` where it is the answer to a Hello of ours. */
  opened(peer: NodeId, address: Address, dialled: boolean, now: Now): MembershipOutput[] {
    return this.#links.opened(peer, address, dialled, now);
  }

  /** A dial was answered at this address. */
  answered(peer: NodeId, address: Address, now: Now): void {
    this.#links.answered(peer, address, now.mono);
  }

  /** A neighbour's datagrams come from another address now. */
  moved(peer: NodeId, address: Address): void {
    this.#links.moved(peer, address);
  }

  /** A link ended: with the peer's Bye, by our own hand, or because nothing was heard any more. */
  closed(peer: NodeId, bye: ByeReason | "local" | undefined, now: Now): void {
    this.#lookups.closed(peer);
    this.#links.closed(peer, bye, now);
  }

  /** A dial got no answer. */
  unanswered(peer: NodeId, now: Now): void {
    this.#links.unanswered(peer, now);
  }

  /** A message of membership from a neighbour. Its contents are untrusted. */
  received(peer: NodeId, message: Announce | DialBack | Lookup | Nodes | Pong, now: Now): MembershipOutput[] {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return [{ type: "dropped", reason: "not-a-neighbour" }];
    switch (message.type) {
      case "announce":
        return this.#introductions.announced(neighbour, message, now);
      case "lookup":
        if (!this.#lookups.take(peer, now.mono)) return [{ type: "dropped", reason: "lookup-quota" }];
        return [{ type: "send", peer, message: this.answer(message, neighbour.address) }];
      case "dial-back":
        return this.#dialBack(neighbour, message, now);
      case "pong":
        return this.#hearsay.pong(neighbour, message, now);
      case "nodes":
        return this.#hearsay.contacts(message.contacts, neighbour, now.mono);
    }
  }

  /** What a Lookup is answered; read-only, so that one inside an unconfirmed Hello may be answered too. */
  answer(lookup: Lookup, askerAddress: Address): Nodes {
    return {
      type: "nodes",
      query: lookup.query,
      attached: this.#neighbours.get(lookup.target) !== undefined,
      contacts: this.#table.closest(lookup.target, CONTACTS_MAX, askerAddress, lookup.target),
    };
  }

  /** The verified contacts that a Pong to this peer tells of: the closest to it, and some by chance. */
  sample(peer: NodeId, peerAddress: Address): readonly Contact[] {
    const near = this.#table.closest(peer, CONTACTS_IN_PONG - CONTACTS_BY_CHANCE, peerAddress, peer);
    const isNear = (contact: Contact) => near.some(({ id }) => id === contact.id);
    return [...near, ...this.#table.sample(CONTACTS_BY_CHANCE, peerAddress, peer).filter((other) => !isNear(other))];
  }

  /** A dial is under way: `opened` or `unanswered` follows. */
  isDialling(peer: NodeId): boolean {
    return this.#dials.has(peer);
  }

  /** Dials somebody in order to ask; nothing where that may not be. The link is kept for a while. */
  dialToAsk(contact: Contact, lookup: Lookup, now: Now): MembershipOutput[] {
    if (this.#options.passive || this.#dials.has(contact.id) || contact.id === this.#self) return [];
    const isHearsay = this.#table.get(contact.id) === undefined && !this.#bootstrap.has(contact.id);
    if (isHearsay && !this.#dials.mayDial(contact.address, now.mono)) return [];
    return [this.#dials.begin(contact, { keepMs: ASKED_KEEP_MS, isHearsay, once: false }, now.mono, lookup)];
  }

  /** What is due: dials, Announces, link upkeep. */
  tick(now: Now): MembershipOutput[] {
    const outputs: MembershipOutput[] = [];
    const isAlone = this.#neighbours.reachable().length === 0;
    for (const contact of this.#bootstrap.due(isAlone, now)) {
      outputs.push(this.#dials.begin(contact, { keepMs: 0, isHearsay: false, once: false }, now.mono));
    }
    outputs.push(...this.#room.tick(now.mono), ...this.#announcer.tick(now));
    if (now.mono >= this.#upkeep.dueMono) {
      outputs.push(...this.#upkeep.run(now), ...this.#toSave.tick(now.mono));
    }
    return outputs;
  }

  /** Monotonic time, ms, of the next tick that has something to do; null: none. */
  nextDeadline(): number | null {
    const never = Number.POSITIVE_INFINITY;
    return Math.min(
      this.#bootstrap.nextDeadline() ?? never,
      this.#upkeep.dueMono,
      this.#announcer.dueMono ?? never,
      this.#room.nextDeadline() ?? never,
    );
  }

  /** My 4 closest reachable neighbours, within the limit of a block. */
  anchors(): readonly Neighbour[] {
    return this.#neighbours.anchors();
  }

  /** What is known of a neighbour, if it is one. */
  neighbour(id: NodeId): Neighbour | undefined {
    return this.#neighbours.get(id);
  }

  /** Every open link. */
  neighbours(): Neighbour[] {
    return [...this.#neighbours.values()];
  }

  /** Undefined before its first Pong. */
  viewOf(peer: NodeId): PeerView | undefined {
    return this.#hearsay.viewOf(peer);
  }

  /** Neighbours that carry messages for others. */
  reachable(): readonly Neighbour[] {
    return this.#neighbours.reachable();
  }

  /** Neighbours that carry messages for others. */
  reachableIds(): readonly NodeId[] {
    return this.#neighbours.reachableIds();
  }

  /** Whether this node believes that strangers can reach it. */
  isReachable(nowMono: number): boolean {
    return this.#announcer.addresses(nowMono).length > 0;
  }

  /** The address that most neighbours see us at; hearsay. */
  get observed(): Address | undefined {
    return this.#observed.address;
  }

  /** How far our clock is behind those of the neighbours. */
  get clockOffsetMs(): number {
    return this.#hearsay.clockOffsetMs;
  }

  /** By how much the wall time of every call is to be moved. */
  get clockCorrectionMs(): number {
    return this.#hearsay.clockCorrectionMs;
  }

  /** The verified contacts, for who wants to look. */
  contacts(): Contact[] {
    return [...this.#table.values()].map(({ id, address }) => ({ id, address }));
  }

  /** What the next start should know: two anchors, then others of the table. */
  peersToSave(): Contact[] {
    return this.#toSave.now();
  }

  #dialBack(neighbour: Neighbour, message: DialBack, now: Now): MembershipOutput[] {
    if (message.what === "me") {
      const passed = this.#dialBacks.wanted(neighbour, message.port, now.mono);
      return [typeof passed === "string" ? { type: "dropped", reason: passed } : { type: "send", ...passed }];
    }
    if (this.#options.passive) return [];
    const verdict = this.#dialBacks.passedOn(neighbour, message.contact, now.mono);
    if (verdict !== true) return [{ type: "dropped", reason: verdict }];
    return [this.#dials.begin(message.contact, { keepMs: 0, isHearsay: true, once: true }, now.mono)];
  }
}
