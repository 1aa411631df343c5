import type { NodeId } from "@starling/crypto-identity";
import type { Neighbours } from "./neighbours.ts";
import type { MembershipOutput } from "./options.ts";
import { leastUseful } from "./upkeep.ts";

// Who becomes a neighbour of a full node, PROTOCOL §6: one that we want ourselves, and one whose anchor we are. The latter gets a few
// seconds to say so, beyond the limit; what it says is untrusted, so the caller checks it before `stays`.

const PROVISIONAL_MS = 3000;
const PROVISIONAL_MAX = 16;

export class Room {
  readonly #max: number;
  readonly #neighbours: Neighbours;
  // BOUNDED: PROVISIONAL_MAX. Neighbours beyond the limit that have to prove their need.
  readonly #provisionalUntilMono = new Map<NodeId, number>();

  constructor(maxNeighbours: number, neighbours: Neighbours) {
    this.#max = maxNeighbours;
    this.#neighbours = neighbours;
  }

  /** What has to be said before this peer can be a neighbour; undefined where there is no room for it. */
  make(peer: NodeId, isWanted: boolean, nowMono: number): MembershipOutput[] | undefined {
    if (this.#neighbours.size - this.#provisionalUntilMono.size < this.#max) return [];
    if (isWanted) return this.#evict();
    if (this.#provisionalUntilMono.size >= PROVISIONAL_MAX) return undefined;
    this.#provisionalUntilMono.set(peer, nowMono + PROVISIONAL_MS);
    return [];
  }

  isProvisional(peer: NodeId): boolean {
    return this.#provisionalUntilMono.has(peer);
  }

  /** It has proved its need: another goes for it. */
  stays(peer: NodeId): MembershipOutput[] {
    this.#provisionalUntilMono.delete(peer);
    return this.#evict();
  }

  left(peer: NodeId): void {
    this.#provisionalUntilMono.delete(peer);
  }

  tick(nowMono: number): MembershipOutput[] {
    const outputs: MembershipOutput[] = [];
    for (const [peer, untilMono] of this.#provisionalUntilMono) {
      if (nowMono < untilMono) break;
      this.#provisionalUntilMono.delete(peer);
      outputs.push({ type: "hang-up", peer, reason: "full" }, { type: "dropped", reason: "neighbour-full" });
    }
    return outputs;
  }

  nextDeadline(): number | null {
    const first = this.#provisionalUntilMono.values().next();
    return first.done ? null : first.value;
  }

  #evict(): MembershipOutput[] {
    const least = leastUseful({ neighbours: this.#neighbours });
    return least === undefined ? [] : [{ type: "hang-up", peer: least.id, reason: "full" }];
  }
}
