import type { NodeId } from "@starling/crypto-identity";
import type { Address, ByeReason } from "@starling/wire-protocol";
import { bucketIndex } from "../distance.ts";
import type { Now } from "../now.ts";
import type { Announcer } from "./announcer.ts";
import { type BlockLimits, limitedBlock } from "./block-limits.ts";
import type { BootstrapDialler } from "./bootstrap.ts";
import type { CandidatePool } from "./candidate-pool.ts";
import type { DialBacks } from "./dial-back.ts";
import type { Dials } from "./dials.ts";
import type { Hearsay } from "./hearsay.ts";
import type { Introductions } from "./introductions.ts";
import type { Neighbours } from "./neighbours.ts";
import type { MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";
import type { Reachability } from "./reachability.ts";
import type { Room } from "./room.ts";

// What the opening, moving and ending of a link means to all that is known of its peer.

const REFUSED_MS = 60_000;

export type LinkLifeOptions = {
  readonly self: NodeId;
  readonly limits: BlockLimits;
  readonly neighbours: Neighbours;
  readonly room: Room;
  readonly table: PeerTable;
  readonly pool: CandidatePool;
  readonly dials: Dials;
  readonly dialBacks: DialBacks;
  readonly bootstrap: BootstrapDialler;
  readonly introductions: Introductions;
  readonly hearsay: Hearsay;
  readonly announcer: Announcer;
  readonly reachability: Reachability;
  /** Something has changed that upkeep should see. */
  readonly soon: (nowMono: number) => void;
};

export class LinkLife {
  readonly #options: LinkLifeOptions;

  constructor(options: LinkLifeOptions) {
    this.#options = options;
  }

  /** `dialled` where it is the answer to a Hello of ours. */
  opened(peer: NodeId, address: Address, dialled: boolean, now: Now): MembershipOutput[] {
    const { self, neighbours, room, dials, dialBacks, bootstrap, announcer, reachability, soon } = this.#options;
    const known = neighbours.get(peer);
    const isBootstrap = bootstrap.has(peer);
    const outputs = known === undefined ? room.make(peer, dialled || isBootstrap, now.mono) : [];
    if (outputs === undefined) {
      return [
        { type: "hang-up", peer, reason: "full" },
        { type: "dropped", reason: "neighbour-full" },
      ];
    }
    const isUnasked = !dialled && !dials.has(peer) && !dialBacks.heardLately(peer, now.mono);
    if (known === undefined && isUnasked) reachability.welcomed(peer, now.mono);
    neighbours.set({
      id: peer,
      address,
      sinceMono: now.mono,
      bucket: bucketIndex(self, peer),
      block: limitedBlock(address.ip, this.#options.limits),
      dialled: known?.dialled ?? dialled,
      keepUntilMono: now.mono + dials.keepMsOf(peer),
      answeredAt: known?.answeredAt,
      reachable: isBootstrap,
      // A new life of the peer has said nothing yet.
      anchoredToUs: false,
      record: undefined,
    });
    bootstrap.opened(peer);
    soon(now.mono);
    return [...outputs, ...announcer.opened(peer, isBootstrap, now)];
  }

  /** A dial was answered at this address. */
  answered(peer: NodeId, address: Address, nowMono: number): void {
    const { neighbours, dials, introductions } = this.#options;
    dials.answered(peer, address);
    const neighbour = neighbours.get(peer);
    if (neighbour !== undefined) introductions.judge({ ...neighbour, answeredAt: address }, nowMono);
  }

  moved(peer: NodeId, address: Address): void {
    const { neighbours, limits } = this.#options;
    const known = neighbours.get(peer);
    if (known !== undefined) neighbours.set({ ...known, address, block: limitedBlock(address.ip, limits) });
  }

  /** With the peer's Bye, by our own hand, or because nothing was heard any more. */
  closed(peer: NodeId, bye: ByeReason | "local" | undefined, now: Now): void {
    const { neighbours, room, table, pool, dials, dialBacks, bootstrap, soon } = this.#options;
    const known = neighbours.get(peer);
    neighbours.delete(peer);
    dials.ended(peer);
    room.left(peer);
    this.#options.introductions.closed(peer);
    this.#options.hearsay.closed(peer);
    this.#options.announcer.closed(peer);
    this.#options.reachability.linkClosed(peer);
    if (known !== undefined) dialBacks.heard(peer, now.mono);
    if (bye === "full" || bye === "unwanted" || bye === "local") {
      table.refused(peer, REFUSED_MS, now.mono);
      bootstrap.released(peer, bye === "full", now);
    } else {
      table.failed(peer, now.mono);
      bootstrap.lost(peer, now);
    }
    if (bye === "full") pool.delete(peer);
    soon(now.mono);
  }

  /** A dial got no answer from its address; where the peer is linked from elsewhere, or of its own wish, nothing is lost. */
  unanswered(peer: NodeId, now: Now): void {
    const { neighbours, table, pool, dials, bootstrap, soon } = this.#options;
    const dial = dials.ended(peer);
    if (dial?.isHearsay) pool.delete(peer);
    if (neighbours.get(peer) === undefined) {
      table.failed(peer, now.mono);
      bootstrap.lost(peer, now);
    }
    soon(now.mono);
  }
}
