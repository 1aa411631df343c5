import type { NodeId } from "@starling/crypto-identity";
import type { Digest, Graft, Have, Prune, Publication, Publish, Want } from "@starling/wire-protocol";
import { PUBLISH_HOPS_MAX, SHORT_IDS_MAX } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import { owned } from "../owned.ts";
import { Branches } from "./branches.ts";
import { differing, digestNow } from "./digest.ts";
import { MissingTable } from "./missing-table.ts";
import { type CachedPublication, PublicationCache } from "./publication-cache.ts";
import { BROADCAST_RULES, type BroadcastRules } from "./rules.ts";

// One eager tree over the links, PROTOCOL §8. The links of a node that has just started are eager, each until a publication that
// comes over it turns out to be a repeat: then it is pruned and hears only Haves. Later links begin as lazy ones. What a Have names
// and the tree does not bring is wanted; where the tree fails for more than one message, the link that brought what was wanted is
// grafted. The neighbour's session acknowledges each Publish; one that is handed back unacknowledged is announced there instead.
//
//            Prune (either end)                    Graft (either end)
//   eager ─────────────────────▶ lazy ─────────────────────────────────▶ eager

/** Misses closer to each other than this are one failure of the tree. */
const MISS_APART_MS = 400;
const HOPS_MEAN_OF = 16;
const REPEATS_MEAN_OF = 8;

/** The messages that keep the tree whole. */
export type Upkeep = Have | Want | Graft | Prune | Digest;

/** What should be sent because of a broadcast, and what was dropped. */
export type BroadcastOutput =
  /** `handedBack` is told where the neighbour's session does not acknowledge it. */
  | { readonly type: "publish"; readonly peer: NodeId; readonly shortId: string; readonly message: Publish }
  | { readonly type: "send"; readonly peer: NodeId; readonly message: Upkeep }
  /** It does not acknowledge: is it still there? */
  | { readonly type: "suspect"; readonly peer: NodeId }
  | { readonly type: "dropped"; readonly reason: string };

/**
 * Spreads publications over a node's links, each over each link once at most (docs/PROTOCOL.md §8). What comes in has been
 * verified.
 */
export class BroadcastTree {
  readonly #neighbours: () => readonly NodeId[];
  readonly #rules: BroadcastRules;
  readonly #cache = new PublicationCache();
  readonly #missing: MissingTable;
  readonly #branches: Branches;
  /** Messages that the tree has not brought since it last brought one. */
  #misses = 0;
  #missMono = Number.NEGATIVE_INFINITY;
  #digestMono: number | null = null;
  #digests = 0;
  #digestedMono = Number.NEGATIVE_INFINITY;
  /** Publications since the last digest. */
  #undigested = 0;
  /** Over how many links publications come here: the mean of the last sixteen or so. */
  #hopsMean = 0;
  /** Which part of what came was a repeat that may prune: the mean of the last eight or so. */
  #repeatsMean = 0;
  readonly #born: Now;
  /** The neighbour that last announced something new. */
  #lastAnnouncer: NodeId | undefined;

  constructor(neighbours: () => readonly NodeId[], now: Now, rules: BroadcastRules = BROADCAST_RULES) {
    this.#born = now;
    this.#branches = new Branches(rules.haveIds);
    this.#neighbours = neighbours;
    this.#rules = rules;
    this.#missing = new MissingTable(rules);
  }

  /** A publication of our own. One that goes out again, with a new stamp, is a repeat to who had it, and says nothing of the tree. */
  publish(publication: Publication, id: string, isAgain: boolean, nowMono: number): BroadcastOutput[] {
    return this.#spread([], { publication, hops: 0, wanted: isAgain }, shortIdOf(id), nowMono);
  }

  /** Whether a neighbour has named one of our own, or sent it here: then it is carried by others. */
  isAbroad(id: string): boolean {
    return this.#cache.get(shortIdOf(id))?.isAbroad === true;
  }

  /** A publication that passed the ladder for the first time. */
  received(from: NodeId, publish: Publish, id: string, nowMono: number): BroadcastOutput[] {
    const shortId = shortIdOf(id);
    this.#repeatsMean -= this.#repeatsMean / REPEATS_MEAN_OF;
    const outputs: BroadcastOutput[] = [];
    if (!publish.wanted) {
      this.#misses = 0;
      outputs.push(...this.#graft(from));
    }
    const { announcers, asked } = this.#missing.arrived(shortId);
    if (asked > 0 && publish.wanted && this.#branches.isLazy(from)) outputs.push(...this.#missed(from, nowMono));
    const { publication, wanted, hops } = publish;
    this.#hopsMean += (hops + 1 - this.#hopsMean) / HOPS_MEAN_OF;
    const isApart = wanted && this.#rules.isRepairApart;
    const copy = { publication, hops: hops + 1, wanted: isApart };
    outputs.push(...this.#spread([from, ...announcers], copy, shortId, nowMono));
    return outputs;
  }

  /** A publication that was had before: the link it came over is one too many for the tree. */
  repeated(from: NodeId, publish: Publish, id: string): BroadcastOutput[] {
    const shortId = shortIdOf(id);
    const had = this.#cache.get(shortId);
    this.#heardOf(from, had, shortId);
    const dropped: BroadcastOutput = { type: "dropped", reason: "publish-repeat" };
    if (publish.wanted) return [dropped];
    this.#misses = 0;
    // A copy that was repaired came first: the tree is late, not redundant.
    if (had?.wanted !== false) return [dropped];
    this.#repeatsMean += (1 - this.#repeatsMean) / REPEATS_MEAN_OF;
    // Said again at each repeat: a Prune can be lost.
    this.#branches.prune(from);
    return [dropped, { type: "send", peer: from, message: { type: "prune" } }];
  }

  /** The neighbour's session has not acknowledged it in its tries. */
  handedBack(peer: NodeId, shortId: string): BroadcastOutput[] {
    this.#cache.get(shortId)?.knownBy.delete(peer);
    if (!this.#neighbours().includes(peer)) return [];
    return [
      { type: "suspect", peer },
      { type: "send", peer, message: { type: "have", shortIds: [shortId] } },
    ];
  }

  /** A message of the tree's upkeep. Its ids are untrusted: naming one costs a neighbour part of what it may cause here. */
  upkeep(from: NodeId, message: Upkeep, nowMono: number): BroadcastOutput[] {
    const branches = this.#branches;
    switch (message.type) {
      case "have":
        if (!branches.allows(from, "haves", message.shortIds.length, nowMono)) return overQuota(message);
        return message.shortIds.flatMap((shortId) => this.#announced(from, shortId, nowMono));
      case "want":
        if (!branches.allows(from, "wants", message.shortIds.length, nowMono)) return overQuota(message);
        return message.shortIds.flatMap((shortId) => this.#wanted(from, shortId));
      case "graft":
      case "prune":
        if (!branches.allows(from, "turns", 1, nowMono)) return overQuota(message);
        if (message.type === "graft") branches.graft(from);
        else branches.prune(from);
        return [];
      case "digest": {
        if (!branches.allows(from, "turns", 1, nowMono)) return overQuota(message);
        return inParts(differing(this.#cache, message)).map((shortIds) => {
          return { type: "send", peer: from, message: { type: "have", shortIds } };
        });
      }
    }
  }

  /**
   * A link is there. While the node is young, or no link is eager, it is grafted; else it begins lazy. One that was there already
   * (it opens again over another carrier, or anew) stays what it was: a pruned one would bring repeats again.
   */
  opened(peer: NodeId, nowMono: number): BroadcastOutput[] {
    const isYoung = nowMono - this.#born.mono < this.#rules.youthMs;
    return (isYoung && !this.#branches.knows(peer)) || !this.#branches.isAnyEager ? this.#graft(peer) : [];
  }

  /** A link ended. If no link is eager now, the one that announced last is grafted. */
  closed(peer: NodeId): BroadcastOutput[] {
    this.#branches.closed(peer);
    const other = this.#lastAnnouncer;
    if (other === undefined || this.#branches.isAnyEager || !this.#neighbours().includes(other)) return [];
    return this.#graft(other);
  }

  /** What is due: Wants, Haves and Digests. */
  tick(now: Now): BroadcastOutput[] {
    const nowMono = now.mono;
    this.#cache.expire(nowMono);
    // A tick is for any timer of the node, and mostly nothing is due: the links are not listed for that.
    const dueMono = Math.min(
      this.#missing.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#digestMono ?? Number.POSITIVE_INFINITY,
    );
    if (nowMono < dueMono) return [];
    const neighbours = new Set(this.#neighbours());
    const wants = new Map<NodeId, string[]>();
    for (const { peer, shortId } of this.#missing.due(nowMono, (id) => neighbours.has(id))) {
      wants.set(peer, [...(wants.get(peer) ?? []), shortId]);
    }
    const outputs: BroadcastOutput[] = [];
    for (const [peer, shortIds] of wants) {
      for (const part of inParts(shortIds))
        outputs.push({ type: "send", peer, message: { type: "want", shortIds: part } });
    }
    if (this.#digestMono !== null && now.mono >= this.#digestMono) outputs.push(...this.#compare([...neighbours], now));
    return outputs;
  }

  /** Monotonic time, ms, of the next tick that has something to do; null: none. */
  nextDeadline(): number | null {
    const deadlines = [this.#missing.nextDeadline(), this.#cache.nextDeadline(), this.#digestMono];
    const due = deadlines.filter((deadline) => deadline !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  #spread(
    having: readonly NodeId[],
    copy: { readonly publication: Publication; readonly hops: number; readonly wanted: boolean },
    shortId: string,
    nowMono: number,
  ): BroadcastOutput[] {
    const { hops, wanted } = copy;
    const publication = ownPublication(copy.publication);
    const knownBy = new Set(having);
    this.#cache.add({ shortId, atMono: nowMono, hops, wanted, publication, knownBy, isAbroad: false });
    const outputs: BroadcastOutput[] = [];
    const isFar = hops > PUBLISH_HOPS_MAX;
    if (isFar) outputs.push({ type: "dropped", reason: "publish-hops" });
    const neighbours = this.#neighbours();
    for (const peer of neighbours) {
      if (knownBy.has(peer) || peer === publication.origin) continue;
      if (isFar || this.#branches.isLazy(peer)) {
        this.#branches.queue(peer, shortId);
        continue;
      }
      knownBy.add(peer);
      outputs.push({ type: "publish", peer, shortId, message: { type: "publish", hops, wanted, publication } });
    }
    const { shotHops, shotFromHops, shotBelowRepeats } = this.#rules;
    const isTreeClean = this.#repeatsMean < shotBelowRepeats;
    if (hops < shotHops && this.#hopsMean >= shotFromHops && isTreeClean) outputs.push(...this.#shoot(shortId));
    this.#digestWith(nowMono);
    outputs.push(...this.#tell(neighbours, this.#rules.haveLinks, nowMono));
    return outputs;
  }

  /** Hands it to some lazy links as if they had asked: seeds far from here in the tree. */
  #shoot(shortId: string): BroadcastOutput[] {
    const targets = this.#branches.longestUntold(this.#neighbours(), this.#rules.shotLinks);
    return targets.flatMap((peer) => this.#wanted(peer, shortId));
  }

  /** A digest speaks of a few dozen publications: where they come fast, it has to be said more often. */
  #digestWith(nowMono: number): void {
    const { digestMs, digestIds, digestLeastMs } = this.#rules;
    this.#undigested += 1;
    const dueMono =
      this.#undigested < digestIds ? nowMono + digestMs : Math.max(nowMono, this.#digestedMono + digestLeastMs);
    this.#digestMono = Math.min(this.#digestMono ?? dueMono, dueMono);
  }

  /** Asks one neighbour after the other whether it has had the same, while there is something to compare. */
  #compare(neighbours: readonly NodeId[], now: Now): BroadcastOutput[] {
    const digest = digestNow(this.#cache, this.#born.wall, this.#digests, now);
    this.#digests += 1;
    this.#undigested = 0;
    this.#digestedMono = now.mono;
    const peer = neighbours[this.#digests % neighbours.length];
    this.#digestMono = digest === undefined && !this.#cache.isFresh(now.mono) ? null : now.mono + this.#rules.digestMs;
    return digest === undefined || peer === undefined ? [] : [{ type: "send", peer, message: digest }];
  }

  #tell(neighbours: readonly NodeId[], count: number, nowMono: number): BroadcastOutput[] {
    return this.#branches.longestUntold(neighbours, count).map((peer) => {
      return { type: "send", peer, message: { type: "have", shortIds: this.#branches.tell(peer, nowMono) } };
    });
  }

  /** What came had to be asked for. One miss may be a late copy; the second is a tree that does not reach us. */
  #missed(by: NodeId, nowMono: number): BroadcastOutput[] {
    if (nowMono - this.#missMono < MISS_APART_MS) return [];
    this.#missMono = nowMono;
    this.#misses += 1;
    if (this.#misses < this.#rules.graftAfterMisses) return [];
    this.#misses = 0;
    return this.#graft(by);
  }

  #graft(peer: NodeId): BroadcastOutput[] {
    return this.#branches.graft(peer) ? [{ type: "send", peer, message: { type: "graft" } }] : [];
  }

  #announced(from: NodeId, shortId: string, nowMono: number): BroadcastOutput[] {
    const had = this.#cache.get(shortId);
    if (had !== undefined) {
      this.#heardOf(from, had, shortId);
      return [];
    }
    this.#lastAnnouncer = from;
    return this.#missing.announced(shortId, from, nowMono) ? [] : [{ type: "dropped", reason: "have-bound" }];
  }

  #wanted(from: NodeId, shortId: string): BroadcastOutput[] {
    const entry = this.#cache.get(shortId);
    if (entry?.publication === undefined) return [{ type: "dropped", reason: "want-unknown" }];
    // It has it, or it is on its way there: a Want can ask for one copy, not for many.
    if (entry.knownBy.has(from)) return [{ type: "dropped", reason: "want-known" }];
    this.#isKnownTo(from, entry, shortId);
    const { publication, hops } = entry;
    const message: Publish = { type: "publish", hops: Math.min(hops, PUBLISH_HOPS_MAX), wanted: true, publication };
    return [{ type: "publish", peer: from, shortId, message }];
  }

  #heardOf(peer: NodeId, had: CachedPublication | undefined, shortId: string): void {
    if (had !== undefined) had.isAbroad = true;
    this.#isKnownTo(peer, had, shortId);
  }

  #isKnownTo(peer: NodeId, had: CachedPublication | undefined, shortId: string): void {
    had?.knownBy.add(peer);
    this.#branches.has(peer, shortId);
  }
}

function overQuota(message: Upkeep): BroadcastOutput[] {
  return [{ type: "dropped", reason: `${message.type}-quota` }];
}

/** As many as a Have or a Want names. */
function inParts(shortIds: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let at = 0; at < shortIds.length; at += SHORT_IDS_MAX) parts.push(shortIds.slice(at, at + SHORT_IDS_MAX));
  return parts;
}

/** For keeping: its parts are views into what it came in, which on a channel is 16 KiB whatever it holds itself. */
function ownPublication(publication: Publication): Publication {
  const encoded = owned(publication.encoded);
  if (encoded === publication.encoded) return publication;
  // The content is its end.
  const content = encoded.subarray(encoded.length - publication.content.length);
  return { ...publication, encoded, content, nonce: publication.nonce.slice() };
}

/** The first 8 bytes of a publication id, in hex. */
function shortIdOf(id: string): string {
  return id.slice(0, 16);
}
