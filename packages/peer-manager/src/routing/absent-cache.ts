import type { NodeId } from "@starling/crypto-identity";

// Recipients that were just found absent, so that a storm of Sends to nobody does not search anew each time (PROTOCOL §7.6).

const REMEMBER_MS = 10_000;
// BOUNDED: the oldest entry makes room.
const ENTRIES_MAX = 4096;

export class AbsentCache {
  readonly #untilMono = new Map<NodeId, number>();

  add(recipient: NodeId, nowMono: number): void {
    this.#untilMono.delete(recipient);
    this.#untilMono.set(recipient, nowMono + REMEMBER_MS);
    const oldest = this.#untilMono.keys().next();
    if (this.#untilMono.size > ENTRIES_MAX && !oldest.done) this.#untilMono.delete(oldest.value);
  }

  delete(recipient: NodeId): void {
    this.#untilMono.delete(recipient);
  }

  has(recipient: NodeId, nowMono: number): boolean {
    return (this.#untilMono.get(recipient) ?? 0) > nowMono;
  }
}
