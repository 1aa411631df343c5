import type { NodeId, RandomSource, SessionKeys } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { SessionCrypto } from "@starling/session";
import { bytesToHex, type Candidate } from "@starling/wire-protocol";

// Channels that are being opened, at most one a peer, and when one that failed may be tried again (PROTOCOL §9).

/** Intent and Offer are told again after this long without a step forward. */
export const REPEAT_MS = 3000;
const DIAL_MS = 15_000;
const BACK_OFF_FIRST_MS = 5000;
const BACK_OFF_MAX_MS = 600_000;
/** BOUNDED: dials of our own wish at once and as many of others' (PROTOCOL §9), and peers whose back-off is remembered. */
const DIALS_MAX = 8;
/** A dial of another's wish gives way to its equal after this time: a channel that opens does so sooner. */
const GIVE_WAY_MS = 2000;
const BACK_OFFS_MAX = 1024;

export type Agreed = { readonly keys: SessionKeys; readonly remoteIndex: number };
export type Opening = {
  readonly type: "opening";
  readonly tag: string;
  readonly agreed: Agreed;
  lateCandidates: number;
};
export type Phase =
  | { readonly type: "intended" }
  | { readonly type: "describing" }
  | {
      readonly type: "offered";
      readonly tag: string;
      readonly content: Uint8Array;
      readonly finish: ReturnType<SessionCrypto["initiate"]>["finish"];
    }
  | { readonly type: "answering"; readonly tag: string }
  | Opening;

/** A peer's, which stands above or below others' and came over some link. */
export type PeersWish = { readonly rank: number; readonly via: NodeId };
export type Wish = "own" | PeersWish;

export type Dial = {
  readonly peer: NodeId;
  /** Our name of the channel. */
  readonly channel: string;
  readonly localIndex: number;
  wish: Wish;
  readonly sinceMono: number;
  readonly untilMono: number;
  repeatMono: number;
  phase: Phase;
  /** Our candidates that were found after the Offer had gone: they can only be sealed once its Answer is here. */
  // BOUNDED: CANDIDATES_LATE_MAX.
  readonly late: Candidate[];
  /** Candidates of the peer that overtook its Answer. */
  // BOUNDED: CANDIDATES_EARLY_MAX.
  readonly early: Uint8Array[];
};

export class Dials {
  readonly #random: RandomSource;
  // BOUNDED: DIALS_MAX of our own wish, DIALS_MAX of others'.
  readonly #dials = new Map<NodeId, Dial>();
  readonly #byChannel = new Map<string, Dial>();
  readonly #backOffs = new Map<NodeId, { readonly untilMono: number; readonly waitMs: number }>();

  constructor(random: RandomSource) {
    this.#random = random;
  }

  get(peer: NodeId): Dial | undefined {
    return this.#dials.get(peer);
  }

  ofChannel(channel: string): Dial | undefined {
    return this.#byChannel.get(channel);
  }

  all(): Dial[] {
    return [...this.#dials.values()];
  }

  /** Whether one more of our own wish may begin. */
  get hasOwnRoom(): boolean {
    return this.all().filter(({ wish }) => wish === "own").length < DIALS_MAX;
  }

  /** What a peer wanted is wanted here as well: it gives way to none any more. */
  own(dial: Dial): void {
    if (this.hasOwnRoom) dial.wish = "own";
  }

  /**
   * Where one more of a peer's wish has its place: one that is free, or that of a dial which has to end for it; undefined where none
   * gives way. One does to a wish above its own, at once; to its equal after GIVE_WAY_MS, or at once where its link has two dials more
   * than the other's; never to one below (PROTOCOL §9).
   */
  placeFor(wish: PeersWish, nowMono: number): "free" | Dial | undefined {
    // In the order in which they began.
    const others = this.all().flatMap((dial) => (dial.wish === "own" ? [] : [{ dial, ...dial.wish }]));
    if (others.length < DIALS_MAX) return "free";
    const lowest = Math.min(...others.map(({ rank }) => rank));
    if (lowest > wish.rank) return undefined;
    const lowestOnes = others.filter(({ rank }) => rank === lowest);
    const ofLink = (link: NodeId) => lowestOnes.filter(({ via }) => via === link).length;
    const most = Math.max(...lowestOnes.map(({ via }) => ofLink(via)));
    if (lowest < wish.rank || most > ofLink(wish.via) + 1) {
      return lowestOnes.find(({ via }) => ofLink(via) === most)?.dial;
    }
    const [oldest] = lowestOnes;
    return oldest !== undefined && nowMono >= oldest.dial.sinceMono + GIVE_WAY_MS ? oldest.dial : undefined;
  }

  /** The last one failed too lately for another of our own wish. */
  isBackingOff(peer: NodeId, nowMono: number): boolean {
    return (this.#backOffs.get(peer)?.untilMono ?? Number.NEGATIVE_INFINITY) > nowMono;
  }

  begin(peer: NodeId, phase: Phase, wish: Wish, now: Now): Dial {
    const bytes = this.#random(12);
    const dial: Dial = {
      peer,
      channel: bytesToHex(bytes.subarray(4)),
      localIndex: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0),
      wish,
      sinceMono: now.mono,
      untilMono: now.mono + DIAL_MS,
      repeatMono: now.mono + REPEAT_MS,
      phase,
      late: [],
      early: [],
    };
    this.#dials.set(peer, dial);
    this.#byChannel.set(dial.channel, dial);
    return dial;
  }

  forget(dial: Dial): void {
    this.#byChannel.delete(dial.channel);
    if (this.#dials.get(dial.peer) === dial) this.#dials.delete(dial.peer);
  }

  /** It led to a channel. */
  opened(dial: Dial): void {
    this.forget(dial);
    this.#backOffs.delete(dial.peer);
  }

  /** The next try has to wait, twice as long each time. */
  failed(dial: Dial, nowMono: number): void {
    this.forget(dial);
    const waitMs = Math.min((this.#backOffs.get(dial.peer)?.waitMs ?? BACK_OFF_FIRST_MS / 2) * 2, BACK_OFF_MAX_MS);
    this.#backOffs.delete(dial.peer);
    this.#backOffs.set(dial.peer, { untilMono: nowMono + waitMs, waitMs });
    const oldest = this.#backOffs.keys().next();
    if (this.#backOffs.size > BACK_OFFS_MAX && !oldest.done) this.#backOffs.delete(oldest.value);
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const dial of this.#dials.values()) next = Math.min(next, dial.untilMono, dial.repeatMono);
    return next;
  }
}
