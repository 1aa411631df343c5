import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { bucketIndex, sortByDistance } from "../distance.ts";
import { acceptsContact, blockOf } from "./scope.ts";

// Kademlia buckets over verified contacts, PROTOCOL §4. An id enters only after a session with it at this address, so a stranger
// cannot fill the table by naming ids. Block limits keep one /24 (or /48) from holding it.

const BUCKET_SIZE = 16;
const PER_BLOCK_IN_BUCKET = 2;
const PER_BLOCK_IN_TABLE = 10;
const PER_BLOCK_IN_ANSWER = 2;

export type VerifiedContact = Contact & { readonly lastSeenMono: number };

export class PeerTable {
  readonly #self: NodeId;
  // BOUNDED: 256 buckets of at most BUCKET_SIZE entries.
  readonly #buckets = new Map<number, VerifiedContact[]>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** Takes or refreshes a contact after a session with it. False where a limit refuses it: the oldest entries stay. */
  verified(contact: Contact, nowMono: number): boolean {
    const index = bucketIndex(this.#self, contact.id);
    if (index < 0) return false;
    const bucket = (this.#buckets.get(index) ?? []).filter((entry) => entry.id !== contact.id);
    const block = blockOf(contact.address.ip);
    const full = bucket.length >= BUCKET_SIZE;
    if (full || (block !== undefined && !this.#hasRoomFor(block, bucket, contact.id))) return false;
    bucket.push({ ...contact, lastSeenMono: nowMono });
    this.#buckets.set(index, bucket);
    return true;
  }

  forget(id: NodeId): void {
    const index = bucketIndex(this.#self, id);
    const bucket = this.#buckets.get(index)?.filter((entry) => entry.id !== id);
    if (bucket === undefined) return;
    if (bucket.length === 0) this.#buckets.delete(index);
    else this.#buckets.set(index, bucket);
  }

  get size(): number {
    return this.entries().length;
  }

  entries(): VerifiedContact[] {
    return [...this.#buckets.values()].flat();
  }

  /** The contacts closest to a target that an asker at `askerAddress` may be told, at most 2 of one block. */
  closest(target: NodeId, count: number, askerAddress: Address): Contact[] {
    const blocks = new Map<string, number>();
    const answer: Contact[] = [];
    for (const { id, address } of sortByDistance(target, this.entries())) {
      if (answer.length >= count) break;
      if (!acceptsContact(address, askerAddress)) continue;
      const block = blockOf(address.ip);
      if (block !== undefined) {
        const taken = blocks.get(block) ?? 0;
        if (taken >= PER_BLOCK_IN_ANSWER) continue;
        blocks.set(block, taken + 1);
      }
      answer.push({ id, address });
    }
    return answer;
  }

  #hasRoomFor(block: string, bucket: readonly VerifiedContact[], id: NodeId): boolean {
    const inBlock = (entry: VerifiedContact) => entry.id !== id && blockOf(entry.address.ip) === block;
    return (
      bucket.filter(inBlock).length < PER_BLOCK_IN_BUCKET && this.entries().filter(inBlock).length < PER_BLOCK_IN_TABLE
    );
  }
}
