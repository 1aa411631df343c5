import type { NodeId } from "@starling/crypto-identity";
import type { Address, Announce, ByeReason, Contact, DialBack, Lookup, Nodes, Pong } from "@starling/wire-protocol";
import { CONTACTS_MAX, formatAddress, verifyNodeRecord } from "@starling/wire-protocol";
import { bucketIndex, isCloser } from "../distance.ts";
import type { Now } from "../now.ts";
import { Announcer } from "./announcer.ts";
import { BootstrapDialler } from "./bootstrap.ts";
import { CandidatePool } from "./candidate-pool.ts";
import { ClockVotes } from "./clock-votes.ts";
import { DialBacks } from "./dial-back.ts";
import { HearsayBudget } from "./hearsay-budget.ts";
import { jittered } from "./jitter.ts";
import { ANCHORS, type Neighbour, Neighbours, type PeerView } from "./neighbours.ts";
import { ObservedAddress } from "./observed-address.ts";
import type { MembershipOptions, MembershipOutput } from "./options.ts";
import { PeerTable } from "./peer-table.ts";
import { Reachability } from "./reachability.ts";
import { acceptsContact, blockOf } from "./scope.ts";
import { dialsWanted, explorationWanted, leastUseful, linksUnwanted, type UpkeepView } from "./upkeep.ts";

// Who my neighbours are, whom I know besides, and whether others can reach me, PROTOCOL §4. What it is told is hearsay until a dial
// was answered; what it hands on has answered.
//
//   named by somebody ──▶ candidate ─ dialled ─▶ neighbour ─ its record holds the address that answered ─▶ reachable: in the table,
//     (3 Hellos an address and 10 min)             │ link ends                                             an anchor or of a bucket
//                                                  ▼
//                                    in the table: dialled again where wanted, 1-30 s      else: forgotten

const CONTACTS_IN_PONG = 4;
/** The others are the closest to the asker. */
const CONTACTS_BY_CHANCE = 2;
/** Upkeep follows a change at once, and comes by itself. */
const UPKEEP_SOON_MS = 200;
const UPKEEP_EVERY_MS = 5000;
const EXPLORE_YOUNG_MS = 10_000;
const EXPLORE_MS = 30_000;
const YOUNG_MS = 180_000;
const DIALS_MAX = 8;
/** A link opened to ask somebody is kept so long, for what is sent next. */
const ASKED_KEEP_MS = 30_000;
/** A peer beyond the limit has so long to say that we are its anchor. */
const PROVISIONAL_MS = 3000;
const PROVISIONAL_MAX = 16;
const REFUSED_MS = 60_000;
const SAVE_EVERY_MS = 60_000;
const SAVED_ANCHORS = 2;
const SAVED_MAX = 64;
/** Announces that say something new cost a signature check each: so many at once, and one more in so long. */
const CHECKS = 5;
const CHECK_EVERY_MS = 10_000;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #self: NodeId;
  readonly #rttOf: (peer: NodeId) => number | undefined;
  readonly #table: PeerTable;
  readonly #pool: CandidatePool;
  readonly #bootstrap: BootstrapDialler;
  readonly #budget = new HearsayBudget();
  readonly #reachability: Reachability;
  readonly #dialBacks: DialBacks;
  readonly #observed = new ObservedAddress();
  readonly #clock = new ClockVotes();
  readonly #announcer: Announcer;
  // BOUNDED: maxNeighbours, and PROVISIONAL_MAX that have to prove their need.
  readonly #neighbours: Neighbours;
  readonly #provisionalUntilMono = new Map<NodeId, number>();
  // BOUNDED: DIALS_MAX, and dials for lookups, which their askers bound. What the link is kept for.
  readonly #dials = new Map<NodeId, { readonly keepMs: number; readonly isHearsay: boolean }>();
  /** BOUNDED: neighbours. */
  readonly #views = new Map<NodeId, PeerView>();
  /** BOUNDED: neighbours. */
  readonly #checks = new Map<NodeId, { left: number; atMono: number }>();
  #upkeepDueMono = 0;
  #exploreDueMono = 0;
  #saveDueMono: number;
  #savedText = "";
  readonly #startMono: number;

  constructor(options: MembershipOptions, rttOf: (peer: NodeId) => number | undefined, now: Now) {
    const { identity, bootstrap, saved = [], random, announce } = options;
    this.#options = options;
    this.#self = identity.id;
    this.#rttOf = rttOf;
    this.#table = new PeerTable(this.#self, random);
    this.#pool = new CandidatePool(this.#self);
    this.#neighbours = new Neighbours(this.#self);
    this.#reachability = new Reachability(announce.length > 0, random);
    this.#announcer = new Announcer(options, this.#neighbours, this.#reachability, this.#observed);
    this.#dialBacks = new DialBacks({
      self: this.#self,
      neighbours: this.#neighbours,
      budget: this.#budget,
      isDialling: (peer) => this.#dials.has(peer),
      random,
    });
    const others = (contacts: readonly Contact[]) => contacts.filter(({ id }) => id !== this.#self);
    this.#bootstrap = new BootstrapDialler(others(bootstrap), others(saved).slice(0, SAVED_MAX), random);
    for (const contact of others(saved)) this.#pool.hear(contact);
    this.#startMono = now.mono;
    this.#saveDueMono = now.mono + SAVE_EVERY_MS;
  }

  /** A link opened; `dialled` where it is the answer to a Hello of ours. */
  opened(peer: NodeId, address: Address, dialled: boolean, now: Now): MembershipOutput[] {
    const known = this.#neighbours.get(peer);
    const outputs = known === undefined ? this.#makeRoom(peer, dialled, now) : [];
    if (outputs === undefined) {
      return [
        { type: "hang-up", peer, reason: "full" },
        { type: "dropped", reason: "neighbour-full" },
      ];
    }
    const isUnasked = !dialled && !this.#dials.has(peer) && !this.#dialBacks.heardLately(peer, now.mono);
    if (known === undefined && isUnasked) this.#reachability.welcomed(peer, now.mono);
    const keepMs = this.#dials.get(peer)?.keepMs ?? 0;
    this.#neighbours.set({
      id: peer,
      address,
      sinceMono: now.mono,
      bucket: bucketIndex(this.#self, peer),
      block: blockOf(address.ip),
      dialled: known?.dialled ?? dialled,
      keepUntilMono: now.mono + keepMs,
      answeredAt: known?.answeredAt,
      reachable: this.#bootstrap.has(peer),
      // A new life of the peer has said nothing yet.
      anchoredToUs: false,
      record: undefined,
    });
    this.#bootstrap.opened(peer);
    this.#soon(now.mono);
    return [...outputs, ...this.#announcer.opened(peer, this.#bootstrap.has(peer), now)];
  }

  /** A dial was answered at this address. */
  answered(peer: NodeId, address: Address, now: Now): MembershipOutput[] {
    this.#dials.delete(peer);
    this.#budget.answered(address);
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return [];
    this.#judge({ ...neighbour, answeredAt: address }, now);
    return [];
  }

  moved(peer: NodeId, address: Address): void {
    const known = this.#neighbours.get(peer);
    if (known !== undefined) this.#neighbours.set({ ...known, address, block: blockOf(address.ip) });
  }

  /** A link ended: with the peer's Bye, by our own hand, or because nothing was heard any more. */
  closed(peer: NodeId, bye: ByeReason | "local" | undefined, now: Now): void {
    const known = this.#neighbours.get(peer);
    this.#neighbours.delete(peer);
    this.#dials.delete(peer);
    this.#provisionalUntilMono.delete(peer);
    this.#checks.delete(peer);
    this.#views.delete(peer);
    this.#announcer.closed(peer);
    this.#reachability.linkClosed(peer);
    if (known !== undefined) this.#dialBacks.heard(peer, now.mono);
    if (bye === "full" || bye === "unwanted" || bye === "local") {
      this.#table.refused(peer, REFUSED_MS, now.mono);
      this.#bootstrap.released(peer, bye === "full", now);
    } else {
      this.#table.failed(peer, now.mono);
      this.#bootstrap.lost(peer, now);
    }
    if (bye === "full") this.#pool.delete(peer);
    this.#soon(now.mono);
  }

  /** A dial got no answer. */
  unanswered(peer: NodeId, now: Now): void {
    const dial = this.#dials.get(peer);
    this.#dials.delete(peer);
    if (dial?.isHearsay) this.#pool.delete(peer);
    if (this.#neighbours.get(peer) === undefined) this.#table.failed(peer, now.mono);
    this.#bootstrap.lost(peer, now);
    this.#soon(now.mono);
  }

  /** A message of membership from a neighbour. Its contents are untrusted. */
  received(peer: NodeId, message: Announce | DialBack | Lookup | Nodes | Pong, now: Now): MembershipOutput[] {
    const neighbour = this.#neighbours.get(peer);
    if (neighbour === undefined) return [{ type: "dropped", reason: "not-a-neighbour" }];
    switch (message.type) {
      case "announce":
        return this.#announced(neighbour, message, now);
      case "lookup":
        return [{ type: "send", peer, message: this.answer(message, neighbour.address) }];
      case "dial-back":
        return this.#dialBack(neighbour, message, now);
      case "pong":
        this.#table.seen(peer, this.#rttOf(peer), now.mono);
        this.#voted(neighbour, message.observed, now);
        this.#clocked(neighbour, message, now);
        return this.#heard(message.contacts, neighbour, now);
      case "nodes":
        return this.#heard(message.contacts, neighbour, now);
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
    if (isHearsay && !this.#budget.mayDial(contact.address, now.mono)) return [];
    return [this.#dial(contact, { keepMs: ASKED_KEEP_MS, isHearsay, once: false }, now, lookup)];
  }

  tick(now: Now): MembershipOutput[] {
    const outputs: MembershipOutput[] = [];
    const isAlone = this.#neighbours.reachable().length === 0;
    for (const contact of this.#bootstrap.due(isAlone, now)) {
      outputs.push(this.#dial(contact, { keepMs: 0, isHearsay: false, once: false }, now));
    }
    for (const [peer, untilMono] of this.#provisionalUntilMono) {
      if (now.mono < untilMono) break;
      this.#provisionalUntilMono.delete(peer);
      outputs.push({ type: "hang-up", peer, reason: "full" }, { type: "dropped", reason: "neighbour-full" });
    }
    outputs.push(...this.#announcer.tick(now));
    if (now.mono >= this.#upkeepDueMono) outputs.push(...this.#upkeep(now));
    return outputs;
  }

  nextDeadline(): number | null {
    let next = Math.min(this.#bootstrap.nextDeadline() ?? Number.POSITIVE_INFINITY, this.#upkeepDueMono);
    if (this.#announcer.dueMono !== null) next = Math.min(next, this.#announcer.dueMono);
    for (const untilMono of this.#provisionalUntilMono.values()) {
      next = Math.min(next, untilMono);
      break;
    }
    return next;
  }

  /** My 4 closest reachable neighbours, at most one of a block. */
  anchors(): readonly Neighbour[] {
    return this.#neighbours.anchors();
  }

  neighbour(id: NodeId): Neighbour | undefined {
    return this.#neighbours.get(id);
  }

  neighbours(): Neighbour[] {
    return [...this.#neighbours.values()];
  }

  /** Undefined before its first Pong. */
  viewOf(peer: NodeId): PeerView | undefined {
    return this.#views.get(peer);
  }

  get neighbourCount(): number {
    return this.#neighbours.size;
  }

  /** Neighbours that carry messages for others. */
  reachable(): readonly Neighbour[] {
    return this.#neighbours.reachable();
  }

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
    return this.#clock.offsetMs;
  }

  /** By how much the wall time of every call is to be moved. */
  get clockCorrectionMs(): number {
    return this.#clock.correctionMs;
  }

  /** The verified contacts, for who wants to look. */
  contacts(): Contact[] {
    return [...this.#table.values()].map(({ id, address }) => ({ id, address }));
  }

  /** What the next start should know: two anchors, then others of the table. */
  peersToSave(): Contact[] {
    const anchors = this.#neighbours.anchors().slice(0, SAVED_ANCHORS);
    const saved = new Map<NodeId, Contact>();
    const save = (id: NodeId): void => {
      const entry = this.#table.get(id);
      if (entry !== undefined && saved.size < SAVED_MAX) saved.set(id, { id, address: entry.address });
    };
    for (const { id } of anchors) save(id);
    for (const { id, failures } of this.#table.values()) if (failures === 0) save(id);
    return [...saved.values()];
  }

  // --- upkeep of links

  #upkeep(now: Now): MembershipOutput[] {
    const { random, passive = false } = this.#options;
    this.#upkeepDueMono = now.mono + jittered(UPKEEP_EVERY_MS, random);
    const outputs: MembershipOutput[] = this.#announcer.tellOfChange(now);
    if (!passive) {
      const view = this.#view(now);
      const wanted = dialsWanted(view);
      if (now.mono >= this.#exploreDueMono) {
        const isYoung = now.mono < this.#startMono + YOUNG_MS;
        this.#exploreDueMono = now.mono + jittered(isYoung ? EXPLORE_YOUNG_MS : EXPLORE_MS, random);
        const explored = explorationWanted(view);
        if (explored !== undefined) wanted.push(explored);
      }
      for (const contact of wanted) {
        if (this.#dials.size >= DIALS_MAX) break;
        if (this.#dials.has(contact.id)) continue;
        const isHearsay = this.#table.get(contact.id) === undefined;
        if (isHearsay && !this.#budget.mayDial(contact.address, now.mono)) continue;
        outputs.push(this.#dial(contact, { keepMs: 0, isHearsay, once: false }, now));
      }
      for (const { id, record, reachable } of this.#neighbours.values()) {
        if (this.#dials.size >= DIALS_MAX) break;
        if (!reachable && record !== undefined) outputs.push(...this.#check(id, now));
      }
      for (const peer of linksUnwanted(view)) outputs.push({ type: "hang-up", peer, reason: "unwanted" });
      outputs.push(...this.#askForDialBack(now));
    }
    if (now.mono >= this.#saveDueMono) outputs.push(...this.#save(now));
    return outputs;
  }

  #view(now: Now): UpkeepView {
    return {
      self: this.#self,
      neighbours: this.#neighbours,
      table: this.#table,
      pool: this.#pool,
      isBootstrap: (id) => this.#bootstrap.has(id),
      isDialling: (id) => this.#dials.has(id),
      mayTry: ({ budgetKey }) => this.#budget.mayDialKey(budgetKey, now.mono),
      rttOf: this.#rttOf,
      nowMono: now.mono,
      random: this.#options.random,
    };
  }

  #dial(
    { id, address }: Contact,
    how: { readonly keepMs: number; readonly isHearsay: boolean; readonly once: boolean },
    now: Now,
    lookup?: Lookup,
  ): MembershipOutput {
    const { keepMs, isHearsay, once } = how;
    this.#dials.set(id, { keepMs, isHearsay });
    this.#dialBacks.heard(id, now.mono);
    if (isHearsay) this.#budget.dialled(address, now.mono);
    const self: Lookup = { type: "lookup", query: 0, target: this.#self };
    return { type: "dial", peer: id, address, once, lookup: lookup ?? self };
  }

  /** What has to be said before this peer can be a neighbour; undefined where there is no room for it. */
  #makeRoom(peer: NodeId, dialled: boolean, now: Now): MembershipOutput[] | undefined {
    const { maxNeighbours } = this.#options;
    if (this.#neighbours.size - this.#provisionalUntilMono.size < maxNeighbours) return [];
    if (dialled || this.#bootstrap.has(peer)) return this.#evict();
    if (this.#provisionalUntilMono.size >= PROVISIONAL_MAX) return undefined;
    this.#provisionalUntilMono.set(peer, now.mono + PROVISIONAL_MS);
    return [];
  }

  #evict(): MembershipOutput[] {
    const least = leastUseful({ neighbours: this.#neighbours });
    return least === undefined ? [] : [{ type: "hang-up", peer: least.id, reason: "full" }];
  }

  #soon(nowMono: number): void {
    this.#upkeepDueMono = Math.min(this.#upkeepDueMono, nowMono + UPKEEP_SOON_MS);
  }

  #save(now: Now): MembershipOutput[] {
    this.#saveDueMono = now.mono + SAVE_EVERY_MS;
    const peers = this.peersToSave();
    const text = peers.map(({ id, address }) => `${id}@${formatAddress(address)}`).join();
    if (text === this.#savedText || peers.length === 0) return [];
    this.#savedText = text;
    return [{ type: "save-peers", peers }];
  }

  // --- what others say

  #announced(neighbour: Neighbour, { anchor, record }: Announce, now: Now): MembershipOutput[] {
    // Cheapest first: whose record it is and whether it is newer, before a curve operation is spent on its signature.
    if (record.id !== neighbour.id) return [{ type: "dropped", reason: "announce-of-another" }];
    const before = neighbour.record;
    if (before !== undefined && record.sequence < before.sequence) return [{ type: "dropped", reason: "announce-old" }];
    if (before !== undefined && record.sequence === before.sequence) {
      // The record that is known already: it is repeated to say that its author is still there, and whether we are its anchor.
      return this.#anchored({ ...neighbour, anchoredToUs: anchor }, now);
    }
    if (!record.addresses.every((address) => acceptsContact(address, neighbour.address))) {
      return [{ type: "dropped", reason: "announce-scope" }];
    }
    if (!this.#mayCheck(neighbour.id, now.mono)) return [{ type: "dropped", reason: "announce-quota" }];
    if (!verifyNodeRecord(this.#options.network, record)) return [{ type: "dropped", reason: "announce-signature" }];
    // A copy: the decoded record is a view into a datagram's buffer.
    const kept = { ...record, encoded: record.encoded.slice() };
    const outputs = this.#anchored({ ...neighbour, record: kept, anchoredToUs: anchor }, now);
    return [...outputs, ...this.#check(neighbour.id, now)];
  }

  /** Its word alone does not make a neighbour reachable: it is dialled where it says it is. */
  #check(peer: NodeId, now: Now): MembershipOutput[] {
    const neighbour = this.#neighbours.get(peer);
    const [address] = neighbour?.record?.addresses ?? [];
    if (neighbour === undefined || address === undefined || this.#options.passive) return [];
    const isAnswered = neighbour.answeredAt?.ip === address.ip && neighbour.answeredAt.port === address.port;
    if (isAnswered || this.#dials.has(peer) || !this.#budget.mayDial(address, now.mono)) return [];
    return [this.#dial({ id: peer, address }, { keepMs: 0, isHearsay: true, once: false }, now)];
  }

  #mayCheck(peer: NodeId, nowMono: number): boolean {
    const known = this.#checks.get(peer) ?? { left: CHECKS, atMono: nowMono };
    const left = Math.min(CHECKS, known.left + (nowMono - known.atMono) / CHECK_EVERY_MS);
    this.#checks.set(peer, { left: left >= 1 ? left - 1 : left, atMono: nowMono });
    return left >= 1;
  }

  /** Keeps a neighbour's new state; one beyond the limit stays only as somebody's whose anchor we are. */
  #anchored(neighbour: Neighbour, now: Now): MembershipOutput[] {
    this.#judge(neighbour, now);
    if (!this.#provisionalUntilMono.has(neighbour.id)) return [];
    if (!neighbour.anchoredToUs || !this.#isAmongClosest(neighbour.id)) return [];
    this.#provisionalUntilMono.delete(neighbour.id);
    return this.#evict();
  }

  /** As far as we know, fewer than 4 reachable nodes are closer to this one than we are. */
  #isAmongClosest(id: NodeId): boolean {
    let closer = 0;
    for (const entry of this.#table.values()) if (entry.id !== id && isCloser(id, entry.id, this.#self)) closer += 1;
    return closer < ANCHORS;
  }

  /** Keeps a neighbour, reachable or not by what is known of it now. */
  #judge(neighbour: Neighbour, now: Now): void {
    const { id, answeredAt, record } = neighbour;
    const isTrue =
      answeredAt !== undefined &&
      record?.addresses.some(({ ip, port }) => ip === answeredAt.ip && port === answeredAt.port) === true;
    const before = this.#neighbours.get(id);
    let isTaken = false;
    if (isTrue) {
      this.#pool.delete(id);
      isTaken = this.#table.verified({ id, address: answeredAt }, this.#rttOf(id), now.mono);
    } else if (record !== undefined) {
      this.#table.forget(id);
    }
    // Whom the table has no room for carries nothing for us either: the block limits hold for routes as well.
    const reachable = isTaken || this.#bootstrap.has(id);
    this.#neighbours.set({ ...neighbour, reachable });
    if (before?.reachable !== reachable) this.#soon(now.mono);
  }

  #heard(contacts: readonly Contact[], from: Neighbour, now: Now): MembershipOutput[] {
    const outputs: MembershipOutput[] = [];
    let isNew = false;
    for (const contact of contacts) {
      if (!acceptsContact(contact.address, from.address)) {
        outputs.push({ type: "dropped", reason: "contact-scope" });
      } else if (this.#table.get(contact.id) === undefined && this.#neighbours.get(contact.id) === undefined) {
        this.#pool.hear(contact);
        isNew = true;
      }
    }
    if (isNew) this.#soon(now.mono);
    return outputs;
  }

  #voted(neighbour: Neighbour, observed: Address, now: Now): void {
    if (!acceptsContact(observed, neighbour.address)) return;
    const before = this.#observed.address;
    if (!this.#observed.vote(neighbour.block ?? formatAddress(neighbour.address), observed)) return;
    if (before !== undefined) this.#reachability.addressChanged(now.mono);
    this.#soon(now.mono);
  }

  /** `now` has been moved already; what is voted on is the machine's own clock. */
  #clocked(neighbour: Neighbour, { wallMs, observed }: Pong, now: Now): void {
    const offsetMs = wallMs + (this.#rttOf(neighbour.id) ?? 0) / 2 - (now.wall - this.#clock.correctionMs);
    this.#views.set(neighbour.id, { observed, clockAheadMs: offsetMs });
    this.#clock.vote(neighbour.block ?? formatAddress(neighbour.address), offsetMs, now.mono);
  }

  #askForDialBack(now: Now): MembershipOutput[] {
    if (this.#neighbours.size === 0) return [];
    const isDue = this.#reachability.takeAsk(now.mono);
    this.#upkeepDueMono = Math.min(this.#upkeepDueMono, this.#reachability.askDueMono);
    const asked = isDue ? this.#dialBacks.ask(this.#options.announce[0], this.observed) : undefined;
    return asked === undefined ? [] : [{ type: "send", ...asked }];
  }

  #dialBack(neighbour: Neighbour, message: DialBack, now: Now): MembershipOutput[] {
    if (message.what === "me") {
      const passed = this.#dialBacks.wanted(neighbour, message.port, now.mono);
      return [typeof passed === "string" ? { type: "dropped", reason: passed } : { type: "send", ...passed }];
    }
    if (this.#options.passive) return [];
    const verdict = this.#dialBacks.passedOn(neighbour, message.contact, now.mono);
    if (verdict !== true) return [{ type: "dropped", reason: verdict }];
    return [this.#dial(message.contact, { keepMs: 0, isHearsay: true, once: true }, now)];
  }
}
