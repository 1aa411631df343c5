import type { NodeId } from "@starling/crypto-identity";
import { bytesToHex } from "@starling/wire-protocol";
import { AgedMap } from "../aged-map.ts";
import type { PendingEnvelope } from "./pending-envelope.ts";

// The envelopes that this node is carrying, PROTOCOL §7.6. Entries are made only after an envelope has passed the whole ladder.

const LIFETIME_MS = 30_000;
// BOUNDED: by count and by the bytes of the envelopes held. What is settled makes room first: of it only the answer to repeats is
// lost, and who repeats it is told `seen`. Of the open ones none is forgotten; instead a link may hold as many as there is room left
// for, so that links whose messages are never acknowledged cannot fill the table against the others.
const ENTRIES_MAX = 65_536;
const BYTES_MAX = 64 * 1024 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);

export class PendingTable {
  readonly #byId = new AgedMap<string, PendingEnvelope>();
  readonly #byLock = new Map<string, PendingEnvelope>();
  /** Settled entries, by the time at which they were. */
  readonly #settled = new AgedMap<PendingEnvelope, true>();
  /** Open entries by the link they came from. */
  readonly #openByLink = new Map<NodeId, { count: number; bytes: number }>();
  readonly #max: number;
  #bytes = 0;

  constructor(max: number = ENTRIES_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Open entries: what has neither been acknowledged nor given back. */
  get openCount(): number {
    return this.#byId.size - this.#settled.size;
  }

  hasRoomFor(from: NodeId, sizeBytes: number): boolean {
    const { count, bytes } = this.#openByLink.get(from) ?? { count: 0, bytes: 0 };
    return count < this.#max - this.openCount && bytes + sizeBytes <= BYTES_MAX - this.#bytes;
  }

  add(entry: PendingEnvelope): void {
    const oldest = this.#byId.size < this.#max ? undefined : this.#settled.oldest();
    if (oldest !== undefined) this.#delete(oldest.key);
    const [from] = entry.inLinks;
    if (from !== undefined) {
      const open = this.#openByLink.get(from) ?? { count: 0, bytes: 0 };
      open.count += 1;
      open.bytes += entry.encodedEnvelope.length;
      this.#openByLink.set(from, open);
    }
    this.#byId.set(entry.id, entry);
    this.#byLock.set(bytesToHex(entry.lock), entry);
    this.#bytes += entry.encodedEnvelope.length;
  }

  /** It has been acknowledged or given back: from here on it is kept for repeats alone. */
  settle(entry: PendingEnvelope): void {
    if (this.#byId.get(entry.id) !== entry || this.#settled.get(entry) === true) return;
    this.#close(entry);
    this.#settled.set(entry, true);
  }

  byId(id: string): PendingEnvelope | undefined {
    return this.#byId.get(id);
  }

  byLock(lock: Uint8Array): PendingEnvelope | undefined {
    return this.#byLock.get(bytesToHex(lock));
  }

  /** Drops what has had its time; entries are in the order in which they were made. */
  expire(nowMono: number): void {
    for (let oldest = this.#byId.oldest(); oldest !== undefined; oldest = this.#byId.oldest()) {
      if (oldest.value.startedMono + LIFETIME_MS > nowMono) return;
      this.#delete(oldest.value);
    }
  }

  nextDeadline(): number | null {
    const oldest = this.#byId.oldest();
    return oldest === undefined ? null : oldest.value.startedMono + LIFETIME_MS;
  }

  #delete(entry: PendingEnvelope): void {
    if (!this.#settled.delete(entry)) this.#close(entry);
    this.#byId.delete(entry.id);
    const byLock = bytesToHex(entry.lock);
    if (this.#byLock.get(byLock) === entry) this.#byLock.delete(byLock);
  }

  #close(entry: PendingEnvelope): void {
    // One of our own counts for no link: those that bring it back are in-links all the same.
    const from = entry.source ? undefined : entry.inLinks[0];
    const { length } = entry.encodedEnvelope;
    this.#bytes -= length;
    entry.encodedEnvelope = NOTHING;
    const open = from === undefined ? undefined : this.#openByLink.get(from);
    if (from === undefined || open === undefined) return;
    open.count -= 1;
    open.bytes -= length;
    if (open.count === 0) this.#openByLink.delete(from);
  }
}
