import type { NodeId } from "@starling/crypto-identity";

// What the tree knows of each link: whether it is part of it, what it has yet to be told of, and what its peer may still ask for
// within this second.

/** What one neighbour may cause in a second: Grafts and Prunes, ids in Wants, ids in Haves. */
const TURNS_PER_SECOND = 10;
const WANTS_PER_SECOND = 128;
const HAVES_PER_SECOND = 1024;

type Allowance = "turns" | "wants" | "haves";

type Branch = {
  isLazy: boolean;
  /** When a Have last went there. */
  toldMono: number;
  /** Short ids that the peer has not been told of. BOUNDED: untoldMax; the oldest are told by others. */
  readonly untold: Set<string>;
  secondMono: number;
  turns: number;
  wants: number;
  haves: number;
};

export class Branches {
  // BOUNDED: neighbours; `closed` drops them.
  readonly #branches = new Map<NodeId, Branch>();
  readonly #untoldMax: number;

  constructor(untoldMax: number) {
    this.#untoldMax = untoldMax;
  }

  /** A link is lazy until it is grafted. */
  isLazy(peer: NodeId): boolean {
    return this.#branches.get(peer)?.isLazy !== false;
  }

  /** Whether the link has been in the tree, or part of its talk, since it first opened. */
  knows(peer: NodeId): boolean {
    return this.#branches.has(peer);
  }

  get isAnyEager(): boolean {
    for (const { isLazy } of this.#branches.values()) if (!isLazy) return true;
    return false;
  }

  /** Takes the link out of the tree; false where it was out. */
  prune(peer: NodeId): boolean {
    const branch = this.#of(peer);
    if (branch.isLazy) return false;
    branch.isLazy = true;
    return true;
  }

  /** Takes the link into the tree; false where it was in. */
  graft(peer: NodeId): boolean {
    const branch = this.#of(peer);
    if (!branch.isLazy) return false;
    branch.isLazy = false;
    return true;
  }

  /** Takes so much out of what the peer may cause this second; false where it is used up. */
  allows(peer: NodeId, allowance: Allowance, count: number, nowMono: number): boolean {
    const branch = this.#of(peer);
    if (nowMono - branch.secondMono >= 1000) {
      branch.secondMono = nowMono;
      branch.turns = TURNS_PER_SECOND;
      branch.wants = WANTS_PER_SECOND;
      branch.haves = HAVES_PER_SECOND;
    }
    branch[allowance] -= count;
    return branch[allowance] >= 0;
  }

  queue(peer: NodeId, shortId: string): void {
    const { untold } = this.#of(peer);
    untold.add(shortId);
    if (untold.size <= this.#untoldMax) return;
    const [oldest] = untold;
    if (oldest !== undefined) untold.delete(oldest);
  }

  /** The peer has it: it need not be told. */
  has(peer: NodeId, shortId: string): void {
    this.#branches.get(peer)?.untold.delete(shortId);
  }

  /** Those of the peers with something untold that have waited longest for a Have. */
  longestUntold(peers: readonly NodeId[], count: number): NodeId[] {
    const waiting: { readonly peer: NodeId; readonly toldMono: number }[] = [];
    for (const peer of peers) {
      const branch = this.#branches.get(peer);
      if (branch !== undefined && branch.untold.size > 0) waiting.push({ peer, toldMono: branch.toldMono });
    }
    if (waiting.length > count) waiting.sort((a, b) => a.toldMono - b.toldMono).length = count;
    return waiting.map(({ peer }) => peer);
  }

  /** The ids that the next Have to this peer holds; they count as told. */
  tell(peer: NodeId, nowMono: number): string[] {
    const branch = this.#of(peer);
    branch.toldMono = nowMono;
    const shortIds = [...branch.untold];
    branch.untold.clear();
    return shortIds;
  }

  closed(peer: NodeId): void {
    this.#branches.delete(peer);
  }

  #of(peer: NodeId): Branch {
    let branch = this.#branches.get(peer);
    if (branch === undefined) {
      branch = {
        isLazy: true,
        toldMono: 0,
        untold: new Set(),
        secondMono: Number.NEGATIVE_INFINITY,
        turns: 0,
        wants: 0,
        haves: 0,
      };
      this.#branches.set(peer, branch);
    }
    return branch;
  }
}
