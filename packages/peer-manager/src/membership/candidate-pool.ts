import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { bucketIndex } from "../distance.ts";
import { BLOCK_LIMITS, type BlockLimits, limitedBlock } from "./block-limits.ts";
import { budgetKey } from "./hearsay-budget.ts";

// Contacts that others have named: hearsay, and nothing more until a dial was answered (PROTOCOL §4). The pool is where upkeep looks
// for whom to try next. The block limits hold here too, so that a liar's inventions do not push everybody else out.

// BOUNDED: by these, the oldest of a bucket making room, and by the limits of a block.
const PER_BUCKET = 12;
const TOTAL = 512;

export type Candidate = {
  readonly id: NodeId;
  readonly address: Address;
  readonly block: string | undefined;
  readonly bucket: number;
  /** What its dials count under. */
  readonly budgetKey: string;
};

export class CandidatePool {
  readonly #self: NodeId;
  readonly #limits: BlockLimits;
  readonly #entries = new Map<NodeId, Candidate>();

  constructor(self: NodeId, limits: BlockLimits = BLOCK_LIMITS) {
    this.#self = self;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): IterableIterator<Candidate> {
    return this.#entries.values();
  }

  /** Takes a contact whose scope has been checked. */
  hear({ id, address }: Contact): void {
    const bucket = bucketIndex(this.#self, id);
    if (bucket < 0 || this.#entries.has(id)) return;
    const key = budgetKey(address);
    if (key === undefined) return;
    const block = limitedBlock(address.ip, this.#limits);
    let [inBucket, inBlock, inBoth] = [0, 0, 0];
    let oldest: Candidate | undefined;
    for (const entry of this.#entries.values()) {
      const isSameBlock = block !== undefined && entry.block === block;
      if (isSameBlock) inBlock += 1;
      if (entry.bucket !== bucket) continue;
      oldest ??= entry;
      inBucket += 1;
      if (isSameBlock) inBoth += 1;
    }
    if (inBoth >= this.#limits.bucket || inBlock >= this.#limits.table) return;
    if (inBucket >= PER_BUCKET && oldest !== undefined) this.#entries.delete(oldest.id);
    else if (this.#entries.size >= TOTAL) return;
    this.#entries.set(id, { id, address, block, bucket, budgetKey: key });
  }

  delete(id: NodeId): void {
    this.#entries.delete(id);
  }
}
