import type { NodeId } from "@starling/crypto-identity";
import type { Graft, Have, Prune, Publication, Publish, Want } from "@starling/wire-protocol";
import { PUBLISH_HOPS_MAX, SHORT_IDS_MAX } from "@starling/wire-protocol";
import { MissingTable } from "./missing-table.ts";
import { PublicationCache } from "./publication-cache.ts";

// One eager tree over the links, PROTOCOL §6. A link is eager until a publication that comes over it turns out to be a repeat:
// then it is pruned and hears only Haves. What a Have names and the tree does not bring is wanted, and the link that had it is
// grafted again. Publish frames are reliable: the neighbour's session acknowledges each.
//
//            Prune (either end)                    Graft (either end)
//   eager ─────────────────────▶ lazy ─────────────────────────────────▶ eager

/** Grafts and Prunes, and ids in Wants, that a neighbour may cause in a second. */
const TURNS_PER_SECOND = 10;
const WANTS_PER_SECOND = 128;

export type BroadcastOutput =
  | { readonly type: "send"; readonly peer: NodeId; readonly message: Publish | Have | Want | Graft | Prune }
  | { readonly type: "dropped"; readonly reason: string };

type Budget = { secondMono: number; turns: number; wants: number };

export class BroadcastTree {
  readonly #neighbours: () => readonly NodeId[];
  readonly #cache = new PublicationCache();
  readonly #missing = new MissingTable();
  // BOUNDED: neighbours; `closed` drops them.
  readonly #lazy = new Set<NodeId>();
  readonly #budgets = new Map<NodeId, Budget>();

  constructor(neighbours: () => readonly NodeId[]) {
    this.#neighbours = neighbours;
  }

  /** A publication of our own. */
  publish(publication: Publication, id: string, nowMono: number): BroadcastOutput[] {
    return this.#spread(undefined, publication, shortIdOf(id), 0, nowMono);
  }

  /** A publication that passed the ladder for the first time. */
  received(from: NodeId, publish: Publish, id: string, nowMono: number): BroadcastOutput[] {
    const outputs: BroadcastOutput[] = [];
    if (!publish.wanted && this.#lazy.delete(from))
      outputs.push({ type: "send", peer: from, message: { type: "graft" } });
    return [...outputs, ...this.#spread(from, publish.publication, shortIdOf(id), publish.hops + 1, nowMono)];
  }

  /** A publication that was had before: the link it came over is one too many for the tree. */
  repeated(from: NodeId, publish: Publish, id: string): BroadcastOutput[] {
    this.#cache.get(shortIdOf(id))?.knownBy.add(from);
    if (publish.wanted || this.#lazy.has(from)) return [{ type: "dropped", reason: "publish-repeat" }];
    this.#lazy.add(from);
    return [
      { type: "dropped", reason: "publish-repeat" },
      { type: "send", peer: from, message: { type: "prune" } },
    ];
  }

  /** A message of the tree's upkeep. Its ids are untrusted: naming one costs a neighbour part of its budget here. */
  upkeep(from: NodeId, message: Have | Want | Graft | Prune, nowMono: number): BroadcastOutput[] {
    const budget = this.#budget(from, nowMono);
    switch (message.type) {
      case "have":
        return message.shortIds.flatMap((shortId) => this.#announced(from, shortId, nowMono));
      case "want":
        budget.wants -= message.shortIds.length;
        if (budget.wants < 0) return [{ type: "dropped", reason: "want-quota" }];
        return message.shortIds.flatMap((shortId) => this.#wanted(from, shortId));
      case "graft":
      case "prune":
        budget.turns -= 1;
        if (budget.turns < 0) return [{ type: "dropped", reason: `${message.type}-quota` }];
        if (message.type === "graft") this.#lazy.delete(from);
        else this.#lazy.add(from);
        return [];
    }
  }

  closed(peer: NodeId): void {
    this.#lazy.delete(peer);
    this.#budgets.delete(peer);
  }

  tick(nowMono: number): BroadcastOutput[] {
    this.#cache.expire(nowMono);
    // A tick is for any timer of the node, and mostly nothing is missing: the links are not listed for that.
    if (nowMono < (this.#missing.nextDeadline() ?? Number.POSITIVE_INFINITY)) return [];
    const neighbours = new Set(this.#neighbours());
    const wants = new Map<NodeId, string[]>();
    for (const { peer, shortId } of this.#missing.due(nowMono, (id) => neighbours.has(id))) {
      wants.set(peer, [...(wants.get(peer) ?? []), shortId]);
    }
    const outputs: BroadcastOutput[] = [];
    for (const [peer, shortIds] of wants) {
      if (this.#lazy.delete(peer)) outputs.push({ type: "send", peer, message: { type: "graft" } });
      for (let at = 0; at < shortIds.length; at += SHORT_IDS_MAX) {
        const message: Want = { type: "want", shortIds: shortIds.slice(at, at + SHORT_IDS_MAX) };
        outputs.push({ type: "send", peer, message });
      }
    }
    return outputs;
  }

  nextDeadline(): number | null {
    const [missing, cache] = [this.#missing.nextDeadline(), this.#cache.nextDeadline()];
    return missing === null || cache === null ? (missing ?? cache) : Math.min(missing, cache);
  }

  #spread(
    from: NodeId | undefined,
    publication: Publication,
    shortId: string,
    hops: number,
    nowMono: number,
  ): BroadcastOutput[] {
    const knownBy = new Set(this.#missing.arrived(shortId));
    if (from !== undefined) knownBy.add(from);
    this.#cache.add({ shortId, atMono: nowMono, hops, publication, knownBy });
    if (hops > PUBLISH_HOPS_MAX) return [{ type: "dropped", reason: "publish-hops" }];
    const outputs: BroadcastOutput[] = [];
    for (const peer of this.#neighbours()) {
      if (knownBy.has(peer) || peer === publication.origin) continue;
      const message: Publish | Have = this.#lazy.has(peer)
        ? { type: "have", shortIds: [shortId] }
        : { type: "publish", hops, wanted: false, publication };
      if (message.type === "publish") knownBy.add(peer);
      outputs.push({ type: "send", peer, message });
    }
    return outputs;
  }

  #announced(from: NodeId, shortId: string, nowMono: number): BroadcastOutput[] {
    const had = this.#cache.get(shortId);
    if (had !== undefined) {
      had.knownBy.add(from);
      return [];
    }
    return this.#missing.announced(shortId, from, nowMono) ? [] : [{ type: "dropped", reason: "have-bound" }];
  }

  #wanted(from: NodeId, shortId: string): BroadcastOutput[] {
    const entry = this.#cache.get(shortId);
    if (entry?.publication === undefined) return [{ type: "dropped", reason: "want-unknown" }];
    entry.knownBy.add(from);
    const { publication, hops } = entry;
    return [
      {
        type: "send",
        peer: from,
        message: { type: "publish", hops: Math.min(hops, PUBLISH_HOPS_MAX), wanted: true, publication },
      },
    ];
  }

  #budget(from: NodeId, nowMono: number): Budget {
    let budget = this.#budgets.get(from);
    if (budget === undefined || nowMono - budget.secondMono >= 1000) {
      budget = { secondMono: nowMono, turns: TURNS_PER_SECOND, wants: WANTS_PER_SECOND };
      this.#budgets.set(from, budget);
    }
    return budget;
  }
}

/** The first 8 bytes of a publication id, in hex. */
function shortIdOf(id: string): string {
  return id.slice(0, 16);
}
