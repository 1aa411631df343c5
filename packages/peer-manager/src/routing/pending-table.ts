import type { NodeId } from "@starling/crypto-identity";
import { bytesToHex } from "@starling/wire-protocol";

// One entry for each envelope that this node is carrying, PROTOCOL §5: from which links it came, where it went, and the secret
// of its ack once that is known. Entries are made only after an envelope has passed the whole ladder.

const LIFETIME_MS = 30_000;
// BOUNDED: by count and by the bytes of the envelopes held; when full, a new envelope is shed rather than an old one forgotten.
const ENTRIES_MAX = 16_384;
const BYTES_MAX = 64 * 1024 * 1024;

/** A neighbour that an envelope went to. */
export type OutLink = {
  readonly peer: NodeId;
  /** Sent with the flag `last` because we know no way. */
  readonly deflected: boolean;
  readonly learned: boolean;
  /** It has revealed t. */
  acked: boolean;
};

export type PendingEnvelope = {
  /** Hex of the envelope id. */
  readonly id: string;
  readonly lock: Uint8Array;
  readonly recipient: NodeId;
  readonly encodedEnvelope: Uint8Array;
  readonly hops: number;
  readonly last: boolean;
  readonly nonImproving: number;
  /** First hops of earlier attempts at the same message. */
  readonly used: ReadonlySet<NodeId>;
  /** Ours: its outcome is told to the outbox. */
  readonly source: boolean;
  readonly avoidRecipient: boolean;
  readonly startedMono: number;
  /** BOUNDED: 4. */
  readonly inLinks: NodeId[];
  /** BOUNDED: the out-links allowed for one envelope. */
  readonly outLinks: OutLink[];
  /** Out-links that may still answer. */
  readonly waiting: Set<NodeId>;
  /** The secret that opens the lock, once the recipient has answered. */
  t: Uint8Array | undefined;
  ackHops: number;
  failed: boolean;
};

export class PendingTable {
  readonly #byId = new Map<string, PendingEnvelope>();
  readonly #byLock = new Map<string, PendingEnvelope>();
  #bytes = 0;

  get size(): number {
    return this.#byId.size;
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#byId.size < ENTRIES_MAX && this.#bytes + sizeBytes <= BYTES_MAX;
  }

  add(entry: PendingEnvelope): void {
    this.#byId.set(entry.id, entry);
    this.#byLock.set(bytesToHex(entry.lock), entry);
    this.#bytes += entry.encodedEnvelope.length;
  }

  byId(id: string): PendingEnvelope | undefined {
    return this.#byId.get(id);
  }

  byLock(lock: Uint8Array): PendingEnvelope | undefined {
    return this.#byLock.get(bytesToHex(lock));
  }

  /** Drops what has had its time; entries are in the order in which they were made. */
  expire(nowMono: number): void {
    for (const entry of this.#byId.values()) {
      if (entry.startedMono + LIFETIME_MS > nowMono) return;
      this.#byId.delete(entry.id);
      if (this.byLock(entry.lock) === entry) this.#byLock.delete(bytesToHex(entry.lock));
      this.#bytes -= entry.encodedEnvelope.length;
    }
  }

  nextDeadline(): number | null {
    const oldest = this.#byId.values().next();
    return oldest.done ? null : oldest.value.startedMono + LIFETIME_MS;
  }
}
