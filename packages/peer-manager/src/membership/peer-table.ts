import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { bucketIndex, closestOf } from "../distance.ts";
import { BLOCK_LIMITS, type BlockLimits, limitedBlock, withinBlocks } from "./block-limits.ts";
import { jittered } from "./jitter.ts";
import { acceptsContact, type Scope, scopeOf } from "./scope.ts";

// Kademlia buckets over verified contacts, PROTOCOL §6: nodes whose record holds the address at which they have answered us. An id
// enters only so, hence a stranger cannot fill the table by naming ids. Block limits keep one /24 (or /48) from holding it. Only
// these are handed on, and of them only those that answered when last asked.

const BUCKETS = 256;
const BUCKET_SIZE = 16;
/** A contact that does not answer is tried again after 1 s, later up to 15 s, in the end 30 s, and forgotten after 10 min. */
const WAIT_FIRST_MS = 1000;
const WAIT_LONGEST_MS = 30_000;
const WAIT_RECENT_MS = 15_000;
const RECENT_MS = 180_000;
const FORGET_MS = 600_000;
/** Draws for each contact that a sample wants: an entry that may not be told costs one. */
const DRAWS = 4;

export type TableEntry = {
  readonly id: NodeId;
  readonly address: Address;
  readonly scope: Scope;
  readonly block: string | undefined;
  readonly bucket: number;
  rttMs: number | undefined;
  lastSeenMono: number;
  /** Dials without an answer since then. */
  failures: number;
  /** Not dialled before. */
  nextDialMono: number;
};

export class PeerTable {
  readonly #self: NodeId;
  readonly #random: RandomSource;
  readonly #limits: BlockLimits;
  // BOUNDED: 256 buckets of at most BUCKET_SIZE entries.
  readonly #entries = new Map<NodeId, TableEntry>();
  /** The entries, to draw from; made when asked for. */
  #list: readonly TableEntry[] | undefined;
  /** The same, by bucket, in the order in which they came. */
  readonly #buckets = new Map<number, readonly TableEntry[]>();
  readonly #inBlock = new Map<string, number>();

  constructor(self: NodeId, random: RandomSource, limits: BlockLimits = BLOCK_LIMITS) {
    this.#self = self;
    this.#random = random;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: NodeId): TableEntry | undefined {
    return this.#entries.get(id);
  }

  values(): IterableIterator<TableEntry> {
    return this.#entries.values();
  }

  /** Whether a limit would let this contact in. */
  hasRoomFor(contact: Contact): boolean {
    const bucket = bucketIndex(this.#self, contact.id);
    return this.#entries.has(contact.id) || this.#hasRoom(bucket, limitedBlock(contact.address.ip, this.#limits));
  }

  /** Takes or refreshes a verified contact. False where a limit refuses it: old entries stay, unless they do not answer. */
  verified({ id, address }: Contact, rttMs: number | undefined, nowMono: number): boolean {
    const bucket = bucketIndex(this.#self, id);
    if (bucket < 0) return false;
    const known = this.#entries.get(id);
    if (known !== undefined && known.address.ip === address.ip && known.address.port === address.port) {
      Object.assign(known, { rttMs: rttMs ?? known.rttMs, lastSeenMono: nowMono, failures: 0 });
      return true;
    }
    this.forget(id);
    const block = limitedBlock(address.ip, this.#limits);
    if (!this.#hasRoom(bucket, block)) {
      const failing = this.#failingIn(bucket);
      if (failing === undefined) return false;
      this.forget(failing.id);
      if (!this.#hasRoom(bucket, block)) return false;
    }
    const times = { lastSeenMono: nowMono, failures: 0, nextDialMono: nowMono };
    this.#list = undefined;
    const entry = { id, address, scope: scopeOf(address.ip), block, bucket, rttMs, ...times };
    this.#entries.set(id, entry);
    this.#buckets.set(bucket, [...this.#inBucket(bucket), entry]);
    if (block !== undefined) this.#inBlock.set(block, (this.#inBlock.get(block) ?? 0) + 1);
    return true;
  }

  /** A link to it lives, or has just been closed by one of us. */
  seen(id: NodeId, rttMs: number | undefined, nowMono: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    Object.assign(entry, { rttMs: rttMs ?? entry.rttMs, lastSeenMono: nowMono, failures: 0 });
  }

  /** It is there and does not want us now. */
  refused(id: NodeId, waitMs: number, nowMono: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.nextDialMono = nowMono + jittered(waitMs, this.#random);
  }

  /** It did not answer. */
  failed(id: NodeId, nowMono: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const goneMs = nowMono - entry.lastSeenMono;
    if (goneMs > FORGET_MS) {
      this.forget(id);
      return;
    }
    const longestMs = goneMs < RECENT_MS ? WAIT_RECENT_MS : WAIT_LONGEST_MS;
    entry.nextDialMono = nowMono + jittered(Math.min(WAIT_FIRST_MS * 2 ** entry.failures, longestMs), this.#random);
    entry.failures += 1;
  }

  forget(id: NodeId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#list = undefined;
    this.#entries.delete(id);
    const left = this.#inBucket(entry.bucket).filter((other) => other !== entry);
    if (left.length > 0) this.#buckets.set(entry.bucket, left);
    else this.#buckets.delete(entry.bucket);
    if (entry.block === undefined) return;
    const inBlock = (this.#inBlock.get(entry.block) ?? 1) - 1;
    if (inBlock > 0) this.#inBlock.set(entry.block, inBlock);
    else this.#inBlock.delete(entry.block);
  }

  /** The contacts closest to a target that an asker at `askerAddress` may be told, within the limit of a block. */
  closest(target: NodeId, count: number, askerAddress: Address, except?: NodeId): Contact[] {
    const passes = (entry: TableEntry) => entry.id !== except && this.#isTold(entry, askerAddress);
    // A few more than asked for, since the block limit may strike some out.
    const wanted = 2 * count;
    const closest: TableEntry[] = [];
    for (const group of this.#groupsFrom(bucketIndex(this.#self, target))) {
      closest.push(...closestOf(target, group, wanted - closest.length, passes));
      if (closest.length >= wanted) break;
    }
    return this.#answer(closest, count);
  }

  /** Some contacts, by chance: a sample of the network that lies near nobody in particular. Fewer where few may be told. */
  sample(count: number, askerAddress: Address, except: NodeId): Contact[] {
    this.#list ??= [...this.#entries.values()];
    const chosen = new Set<TableEntry>();
    for (let draws = 0; draws < DRAWS * count && chosen.size < count && this.#list.length > 0; draws += 1) {
      const bytes = this.#random(2);
      const entry = this.#list[((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) % this.#list.length];
      if (entry !== undefined && entry.id !== except && this.#isTold(entry, askerAddress)) chosen.add(entry);
    }
    return this.#answer(chosen, count);
  }

  /**
   * All entries in groups, each farther from a target in this bucket of ours than the one before: first those that share its
   * bucket; then all that are closer to us, which differ from it in that very bit; then bucket after bucket outwards.
   */
  *#groupsFrom(bucket: number): Generator<readonly TableEntry[]> {
    yield this.#inBucket(bucket);
    yield [...this.#entries.values()].filter((entry) => entry.bucket < bucket);
    for (let outer = bucket + 1; outer < BUCKETS; outer += 1) yield this.#inBucket(outer);
  }

  #answer(entries: Iterable<TableEntry>, count: number): Contact[] {
    const answer: Contact[] = [];
    for (const { id, address } of withinBlocks(entries, this.#limits.answer)) {
      if (answer.length >= count) break;
      answer.push({ id, address });
    }
    return answer;
  }

  #isTold({ failures, scope, address }: TableEntry, askerAddress: Address): boolean {
    return failures === 0 && (scope === "public" || acceptsContact(address, askerAddress));
  }

  #hasRoom(bucket: number, block: string | undefined): boolean {
    const inBucket = this.#inBucket(bucket);
    if (inBucket.length >= BUCKET_SIZE) return false;
    if (block === undefined) return true;
    if ((this.#inBlock.get(block) ?? 0) >= this.#blockMax()) return false;
    return inBucket.filter((entry) => entry.block === block).length < this.#limits.bucket;
  }

  /** Contacts of one block, with one more: where honest ones are few, ten would be a third of what this node knows and hands on. */
  #blockMax(): number {
    const { table, tablePart, tableFew } = this.#limits;
    return Math.min(table, Math.max(tableFew, Math.floor(tablePart * (this.#entries.size + 1))));
  }

  #inBucket(bucket: number): readonly TableEntry[] {
    return this.#buckets.get(bucket) ?? [];
  }

  /** The entry of a bucket that has failed most often. */
  #failingIn(bucket: number): TableEntry | undefined {
    let worst: TableEntry | undefined;
    for (const entry of this.#inBucket(bucket)) if (entry.failures > (worst?.failures ?? 1)) worst = entry;
    return worst;
  }
}
