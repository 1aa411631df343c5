import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { bucketIndex } from "../distance.ts";
import { BLOCK_LIMITS, type BlockLimits, limitedBlock } from "./block-limits.ts";
import { budgetKey } from "./hearsay-budget.ts";

// Contacts that others have named: hearsay, and nothing more until a dial was answered (PROTOCOL §6). The pool is where upkeep looks
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
  /** The same, by bucket, the oldest first. */
  readonly #buckets = new Map<number, Set<Candidate>>();
  readonly #inBlock = new Map<string, number>();

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
    const inBucket = this.#buckets.get(bucket) ?? new Set();
    if (block !== undefined) {
      let inBoth = 0;
      for (const other of inBucket) if (other.block === block) inBoth += 1;
      if (inBoth >= this.#limits.bucket || (this.#inBlock.get(block) ?? 0) >= this.#limits.table) return;
    }
    const [oldest] = inBucket;
    if (inBucket.size >= PER_BUCKET && oldest !== undefined) this.delete(oldest.id);
    else if (this.#entries.size >= TOTAL) return;
    const candidate = { id, address, block, bucket, budgetKey: key };
    this.#entries.set(id, candidate);
    this.#buckets.set(bucket, inBucket.add(candidate));
    if (block !== undefined) this.#inBlock.set(block, (this.#inBlock.get(block) ?? 0) + 1);
  }

  delete(id: NodeId): void {
    const candidate = this.#entries.get(id);
    if (candidate === undefined) return;
    const { bucket, block } = candidate;
    this.#entries.delete(id);
    const inBucket = this.#buckets.get(bucket);
    inBucket?.delete(candidate);
    if (inBucket?.size === 0) this.#buckets.delete(bucket);
    if (block === undefined) return;
    const inBlock = (this.#inBlock.get(block) ?? 1) - 1;
    if (inBlock > 0) this.#inBlock.set(block, inBlock);
    else this.#inBlock.delete(block);
  }
}
