import type { NodeId } from "@starling/crypto-identity";
import type { Contact } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import type { Neighbours } from "./neighbours.ts";
import type { MembershipOutput } from "./options.ts";
import type { PeerTable } from "./peer-table.ts";

// What the next start should know, PROTOCOL §4: two anchors, then others of the table.

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
    const save = (id: NodeId): void => {
      const entry = this.#table.get(id);
      if (entry !== undefined && saved.size < SAVED_MAX) saved.set(id, { id, address: entry.address });
    };
    for (const { id } of this.#neighbours.anchors().slice(0, ANCHORS_SAVED)) save(id);
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
