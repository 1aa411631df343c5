import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact, Pong } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import type { CandidatePool } from "./candidate-pool.ts";
import { ClockVotes } from "./clock-votes.ts";
import type { Neighbour, Neighbours, PeerView } from "./neighbours.ts";
import type { ObservedAddress } from "./observed-address.ts";
import type { MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";
import type { Reachability } from "./reachability.ts";
import { acceptsContact } from "./scope.ts";

// What neighbours say of others, of the time and of us, PROTOCOL §6 and §7.3. Each may lie: contacts become candidates and no more, and
// about our address and the time they vote, one vote a block.

export type HearsayOptions = {
  readonly neighbours: Neighbours;
  readonly table: PeerTable;
  readonly pool: CandidatePool;
  readonly observed: ObservedAddress;
  readonly reachability: Reachability;
  readonly rttOf: (peer: NodeId) => number | undefined;
  /** Something has changed that upkeep should see. */
  readonly soon: (nowMono: number) => void;
};

export class Hearsay {
  readonly #options: HearsayOptions;
  readonly #clock = new ClockVotes();
  /** BOUNDED: neighbours. */
  readonly #views = new Map<NodeId, PeerView>();

  constructor(options: HearsayOptions) {
    this.#options = options;
  }

  /** How far our clock is behind those of the neighbours. */
  get clockOffsetMs(): number {
    return this.#clock.offsetMs;
  }

  /** By how much the wall time of every call is to be moved. */
  get clockCorrectionMs(): number {
    return this.#clock.correctionMs;
  }

  /** Undefined before its first Pong. */
  viewOf(peer: NodeId): PeerView | undefined {
    return this.#views.get(peer);
  }

  pong(neighbour: Neighbour, pong: Pong, now: Now): MembershipOutput[] {
    const { table, rttOf } = this.#options;
    table.seen(neighbour.id, rttOf(neighbour.id), now.mono);
    this.#voted(neighbour, pong.observed, now.mono);
    this.#clocked(neighbour, pong, now);
    return this.contacts(pong.contacts, neighbour, now.mono);
  }

  contacts(contacts: readonly Contact[], from: Neighbour, nowMono: number): MembershipOutput[] {
    const { neighbours, table, pool, soon } = this.#options;
    const outputs: MembershipOutput[] = [];
    let isNew = false;
    for (const contact of contacts) {
      if (!acceptsContact(contact.address, from.address)) {
        outputs.push({ type: "dropped", reason: "contact-scope" });
      } else if (table.get(contact.id) === undefined && neighbours.get(contact.id) === undefined) {
        pool.hear(contact);
        isNew = true;
      }
    }
    if (isNew) soon(nowMono);
    return outputs;
  }

  closed(peer: NodeId): void {
    this.#views.delete(peer);
  }

  #voted(neighbour: Neighbour, observed: Address, nowMono: number): void {
    if (!acceptsContact(observed, neighbour.address)) return;
    const { observed: votes, reachability, soon } = this.#options;
    const before = votes.address;
    if (!votes.vote(voter(neighbour), observed, nowMono)) return;
    if (before !== undefined) reachability.addressChanged(nowMono);
    soon(nowMono);
  }

  /** `now` has been moved already; what is voted on is the machine's own clock. */
  #clocked(neighbour: Neighbour, { wallMs, observed }: Pong, now: Now): void {
    const halfTripMs = (this.#options.rttOf(neighbour.id) ?? 0) / 2;
    const offsetMs = wallMs + halfTripMs - (now.wall - this.#clock.correctionMs);
    this.#views.set(neighbour.id, { observed, clockAheadMs: offsetMs });
    this.#clock.vote(voter(neighbour), offsetMs, now.mono);
  }
}

/** What a neighbour's vote counts under. */
function voter({ block, address }: Neighbour): string {
  return block ?? formatAddress(address);
}
