import type { NodeId } from "@starling/crypto-identity";
import type { Address, NodeRecord } from "@starling/wire-protocol";
import { sortByDistance } from "../distance.ts";
import { withinBlocks } from "./block-limits.ts";

export const ANCHORS = 4;

/** An open link as membership sees it; `bucket`: the highest bit in which its id differs from ours. */
export type Neighbour = {
  readonly id: NodeId;
  readonly address: Address;
  readonly sinceMono: number;
  readonly bucket: number;
  /** Of its address; undefined where block limits do not hold. */
  readonly block: string | undefined;
  /** We opened the link, and close it when it is of no use to us. */
  readonly dialled: boolean;
  /** Kept until then, wanted or not. */
  readonly keepUntilMono: number;
  /** Where it answered a dial of ours. */
  readonly answeredAt: Address | undefined;
  /** Carries messages for others: its record holds the address where it answered, or it is a configured bootstrap node. */
  readonly reachable: boolean;
  /** It counts us among its own anchors. */
  readonly anchoredToUs: boolean;
  /** From its last valid Announce. */
  readonly record: NodeRecord | undefined;
};

/** What a neighbour's last Pong says of this node; hearsay. */
export type PeerView = {
  /** Where it sees us. */
  readonly observed: Address;
  /** How far its clock is ahead of this machine's, give or take half a round trip. */
  readonly clockAheadMs: number;
};

/** The peers with an open session, and what follows from them. BOUNDED: by Membership, which refuses more. */
export class Neighbours {
  readonly #self: NodeId;
  readonly #anchorsPerBlock: number;
  readonly #byId = new Map<NodeId, Neighbour>();
  #reachable: readonly Neighbour[] | undefined;
  #reachableIds: readonly NodeId[] | undefined;
  #anchors: readonly Neighbour[] | undefined;

  constructor(self: NodeId, anchorsPerBlock: number) {
    this.#self = self;
    this.#anchorsPerBlock = anchorsPerBlock;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: NodeId): Neighbour | undefined {
    return this.#byId.get(id);
  }

  values(): IterableIterator<Neighbour> {
    return this.#byId.values();
  }

  set(neighbour: Neighbour): void {
    const before = this.#byId.get(neighbour.id);
    this.#byId.set(neighbour.id, neighbour);
    if (neighbour.reachable || before?.reachable) this.#changed();
  }

  delete(id: NodeId): void {
    const before = this.#byId.get(id);
    this.#byId.delete(id);
    if (before?.reachable) this.#changed();
  }

  reachable(): readonly Neighbour[] {
    this.#reachable ??= [...this.#byId.values()].filter(({ reachable }) => reachable);
    return this.#reachable;
  }

  reachableIds(): readonly NodeId[] {
    this.#reachableIds ??= this.reachable().map(({ id }) => id);
    return this.#reachableIds;
  }

  /** My 4 closest reachable neighbours, within the limit of a block. */
  anchors(): readonly Neighbour[] {
    if (this.#anchors === undefined) {
      const sorted = sortByDistance(this.#self, this.reachable());
      this.#anchors = [...withinBlocks(sorted, this.#anchorsPerBlock)].slice(0, ANCHORS);
    }
    return this.#anchors;
  }

  #changed(): void {
    this.#reachable = undefined;
    this.#reachableIds = undefined;
    this.#anchors = undefined;
  }
}
