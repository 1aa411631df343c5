import type { NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import type { Neighbours } from "./neighbours.ts";
import type { ObservedAddress } from "./observed-address.ts";
import type { MembershipOptions, MembershipOutput } from "./options.ts";
import { OwnRecord } from "./own-record.ts";
import type { Reachability } from "./reachability.ts";
import { scopeOf } from "./scope.ts";

// What this node says of itself, and when, PROTOCOL §6: to anchors each minute, to whoever becomes one or ceases to be, to everybody
// when its record says something new. Nothing is flooded.

const ANNOUNCE_EVERY_MS = 60_000;

export class Announcer {
  readonly #options: MembershipOptions;
  readonly #neighbours: Neighbours;
  readonly #reachability: Reachability;
  readonly #observed: ObservedAddress;
  readonly #ownRecord: OwnRecord;
  /** Who has been told that it is an anchor of ours. BOUNDED: ANCHORS. */
  #toldAnchors = new Set<NodeId>();
  /** What all neighbours have been told, as text. */
  #toldAll = "";
  #dueMono: number | null = null;

  constructor(
    options: MembershipOptions,
    neighbours: Neighbours,
    reachability: Reachability,
    observed: ObservedAddress,
  ) {
    this.#options = options;
    this.#neighbours = neighbours;
    this.#reachability = reachability;
    this.#observed = observed;
    this.#ownRecord = new OwnRecord(options);
  }

  get dueMono(): number | null {
    return this.#dueMono;
  }

  /** The addresses of our record: while we believe that strangers reach us there. */
  addresses(nowMono: number): readonly Address[] {
    const { announce, passive } = this.#options;
    if (passive && announce.length === 0) return [];
    if (!this.#reachability.believes(nowMono)) return [];
    if (announce.length > 0) return announce;
    const observed = this.#observed.address;
    return observed === undefined || scopeOf(observed.ip) === "never" ? [] : [observed];
  }

  /** A link opened: what is said at once, to a bootstrap node as the first of all. */
  opened(peer: NodeId, isBootstrap: boolean, now: Now): MembershipOutput[] {
    this.#dueMono ??= now.mono + ANNOUNCE_EVERY_MS;
    return isBootstrap || this.addresses(now.mono).length > 0 ? [this.#to(peer, now)] : [];
  }

  closed(peer: NodeId): void {
    this.#toldAnchors.delete(peer);
  }

  /** The minute's Announces, when they are due. */
  tick(now: Now): MembershipOutput[] {
    if (this.#dueMono === null || now.mono < this.#dueMono) return [];
    this.#dueMono = now.mono + ANNOUNCE_EVERY_MS;
    return this.#neighbours.anchors().map(({ id }) => this.#to(id, now));
  }

  /** A new record to everybody where it says something new; new anchors, and those that are none any more, are told so. */
  tellOfChange(now: Now): MembershipOutput[] {
    const says = this.addresses(now.mono).map(formatAddress).join();
    const isNew = says !== this.#toldAll;
    this.#toldAll = says;
    const anchors = new Set(this.#neighbours.anchors().map(({ id }) => id));
    const told = new Set<NodeId>(isNew ? [...this.#neighbours.values()].map(({ id }) => id) : []);
    for (const id of anchors) if (!this.#toldAnchors.has(id)) told.add(id);
    for (const id of this.#toldAnchors) if (!anchors.has(id)) told.add(id);
    this.#toldAnchors = anchors;
    return [...told].map((id) => this.#to(id, now));
  }

  #to(peer: NodeId, now: Now): MembershipOutput {
    const anchor = this.#neighbours.anchors().some(({ id }) => id === peer);
    if (anchor) this.#toldAnchors.add(peer);
    const record = this.#ownRecord.with(this.addresses(now.mono), now);
    return { type: "send", peer, message: { type: "announce", anchor, record } };
  }
}
