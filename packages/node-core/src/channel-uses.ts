import type { NodeId } from "@starling/crypto-identity";

// Which channels stay, PROTOCOL §9: one that has carried nothing for ten minutes is closed, but for the few with the shortest round
// trips, which stay as ordinary links. Where there is no room, the least useful one that is not young gives way.

const IDLE_MS = 600_000;
/** Kept though idle, in a network of more nodes than this. */
const KEPT_MAX = 8;
const SMALL_NETWORK_NODES = 16;
const LOOK_EVERY_MS = 60_000;
/** Never closed for another one before this age; and others' wish closes none that was used within this time. */
const YOUNG_MS = 60_000;
/** A quarter of all is kept for others' wish, and a quarter for our own. */
const RESERVED_PART = 1 / 4;

type Use = { readonly peer: NodeId; readonly isOwn: boolean; readonly sinceMono: number; usedMono: number };

export class ChannelUses {
  readonly #max: number;
  readonly #isThere: (peer: NodeId) => boolean;
  readonly #rttMs: (peer: NodeId) => number | undefined;
  // BOUNDED: by the channels; what is there no more is forgotten with the next one.
  readonly #uses = new Map<NodeId, Use>();
  #lookMono = Number.POSITIVE_INFINITY;

  constructor(options: {
    /** Channels at once. */
    readonly max: number;
    readonly isThere: (peer: NodeId) => boolean;
    readonly rttMs: (peer: NodeId) => number | undefined;
  }) {
    this.#max = options.max;
    this.#isThere = options.isThere;
    this.#rttMs = options.rttMs;
  }

  /** A channel begins; a second one to the same peer is the same use. */
  begun(peer: NodeId, isOwn: boolean, nowMono: number): void {
    this.#forgetGone();
    const sinceMono = this.#uses.get(peer)?.sinceMono ?? nowMono;
    this.#uses.set(peer, { peer, isOwn, sinceMono, usedMono: nowMono });
    this.#lookMono = Math.min(this.#lookMono, nowMono + IDLE_MS);
  }

  /** It carried something of a program's, ours or another's. */
  used(peer: NodeId, nowMono: number): void {
    const use = this.#uses.get(peer);
    if (use !== undefined) use.usedMono = nowMono;
  }

  /** Whether one more may be opened, by our own wish or by a peer's. */
  hasRoom(isOwn: boolean, nowMono: number): boolean {
    return !this.#isShort(isOwn) || this.givesWay(isOwn, nowMono) !== undefined;
  }

  /** Which channel is to be closed for one more, where room is short and one may be. */
  givesWay(isOwn: boolean, nowMono: number): NodeId | undefined {
    if (!this.#isShort(isOwn)) return undefined;
    const mayGo = [...this.#uses.values()].filter((use) => {
      if (nowMono - use.sinceMono < YOUNG_MS) return false;
      if (!isOwn) return !use.isOwn && nowMono - use.usedMono >= YOUNG_MS;
      return use.isOwn || !this.#isOverShare(true);
    });
    // Others' wish before our own, and then what was not used for longest.
    mayGo.sort((a, b) => Number(a.isOwn) - Number(b.isOwn) || a.usedMono - b.usedMono);
    return mayGo[0]?.peer;
  }

  /** Channels to close because they are idle, looked for when it is time; `nodes`: how many others this node knows. */
  idle(nodes: () => number, nowMono: number): NodeId[] {
    if (nowMono < this.#lookMono) return [];
    this.#forgetGone();
    const uses = [...this.#uses.values()];
    const kept = new Set(nodes() < SMALL_NETWORK_NODES ? [] : this.#closest(uses));
    const idle = uses.filter((use) => nowMono - use.usedMono >= IDLE_MS && !kept.has(use)).map(({ peer }) => peer);
    // One that is kept, or has just been found idle, is looked at again in a while.
    const lookMonos = uses.map(({ usedMono }) => Math.max(usedMono + IDLE_MS, nowMono + LOOK_EVERY_MS));
    this.#lookMono = Math.min(...lookMonos);
    return idle;
  }

  /** Mono time of the next look; infinite without channels. */
  nextDeadline(): number {
    return this.#lookMono;
  }

  #closest(uses: readonly Use[]): Use[] {
    const rttMs = ({ peer }: Use) => this.#rttMs(peer) ?? Number.POSITIVE_INFINITY;
    return uses.toSorted((a, b) => rttMs(a) - rttMs(b) || a.sinceMono - b.sinceMono).slice(0, KEPT_MAX);
  }

  #isShort(isOwn: boolean): boolean {
    this.#forgetGone();
    return this.#uses.size >= this.#max || this.#isOverShare(isOwn);
  }

  #isOverShare(isOwn: boolean): boolean {
    const alike = [...this.#uses.values()].filter((use) => use.isOwn === isOwn).length;
    return alike >= this.#max - Math.floor(this.#max * RESERVED_PART);
  }

  #forgetGone(): void {
    for (const peer of this.#uses.keys()) if (!this.#isThere(peer)) this.#uses.delete(peer);
  }
}
