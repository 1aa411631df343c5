import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "../aged-map.ts";

// Recipients that were just found absent, so that a storm of Sends to nobody does not search anew each time (PROTOCOL §7.6).

const REMEMBER_MS = 10_000;
// BOUNDED: the oldest entry makes room.
const ENTRIES_MAX = 4096;

export class AbsentCache {
  readonly #untilMono = new AgedMap<NodeId, number>();

  add(recipient: NodeId, nowMono: number): void {
    this.#untilMono.renew(recipient, nowMono + REMEMBER_MS, ENTRIES_MAX);
  }

  delete(recipient: NodeId): void {
    this.#untilMono.delete(recipient);
  }

  has(recipient: NodeId, nowMono: number): boolean {
    return (this.#untilMono.get(recipient) ?? 0) > nowMono;
  }
}
