import type { NodeId } from "@starling/crypto-identity";
import type { Address, Contact } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import type { Neighbours } from "./neighbours.ts";
import type { MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";

// What the next start should know, PROTOCOL §6: two anchors, then others of the table.

const EVERY_MS = 60_000;
const ANCHORS_SAVED = 2;
export const SAVED_MAX = 64;

export class PeersToSave {
  readonly #neighbours: Neighbours;
  readonly #table: PeerTable;
  #dueMono: number;
  #lastText = "";

  constructor(neighbours: Neighbours, table: PeerTable, nowMono: number) {
    this.#neighbours = neighbours;
    this.#table = table;
    this.#dueMono = nowMono + EVERY_MS;
  }

  now(): Contact[] {
    const saved = new Map<NodeId, Contact>();
    const save = (id: NodeId, answeredAt?: Address): void => {
      const address = this.#table.get(id)?.address ?? answeredAt;
      if (address !== undefined && saved.size < SAVED_MAX) saved.set(id, { id, address });
    };
    // A bootstrap node is an anchor even while its record holds no address, and so is not in the table.
    for (const { id, answeredAt } of this.#neighbours.anchors().slice(0, ANCHORS_SAVED)) save(id, answeredAt);
    for (const { id, failures } of this.#table.values()) if (failures === 0) save(id);
    return [...saved.values()];
  }

  /** Each minute, where it is not what was said before. */
  tick(nowMono: number): MembershipOutput[] {
    if (nowMono < this.#dueMono) return [];
    this.#dueMono = nowMono + EVERY_MS;
    const peers = this.now();
    const text = peers.map(({ id, address }) => `${id}@${formatAddress(address)}`).join();
    if (text === this.#lastText || peers.length === 0) return [];
    this.#lastText = text;
    return [{ type: "save-peers", peers }];
  }
}
