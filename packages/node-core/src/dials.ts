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
/** Where others' are as many, the oldest gives way to a new one after this time: a channel that opens does so sooner. */
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

export type Dial = {
  readonly peer: NodeId;
  /** Our name of the channel. */
  readonly channel: string;
  readonly localIndex: number;
  /** Of our own wish, and not because the peer asked. */
  readonly isOwn: boolean;
  readonly sinceMono: number;
  readonly untilMono: number;
  repeatMono: number;
  phase: Phase;
  /** Our candidates that were found after the Offer had gone: they can only be sealed once its Answer is here. */
  // BOUNDED: CANDIDATES_LATE_MAX.
  readonly late: Candidate[];
  /** Candidates of the peer that overtook its Answer. */
  // BOUNDED: CANDIDATES_EARLY_MAX.
  readonly early: { readonly sealed: Uint8Array; readonly untilMono: number }[];
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

  /** Whether one more may begin, by our own wish or by a peer's; those of strangers keep nobody else out for long. */
  hasRoom(isOwn: boolean, nowMono: number): boolean {
    const [oldest, ...others] = this.#alike(isOwn);
    if (oldest === undefined || others.length + 1 < DIALS_MAX) return true;
    return !isOwn && nowMono >= oldest.sinceMono + GIVE_WAY_MS;
  }

  /** Which of others' is to end for one more of theirs. */
  givesWay(): Dial | undefined {
    const [oldest, ...others] = this.#alike(false);
    return others.length + 1 < DIALS_MAX ? undefined : oldest;
  }

  /** The last one failed too lately for another of our own wish. */
  isBackingOff(peer: NodeId, nowMono: number): boolean {
    return (this.#backOffs.get(peer)?.untilMono ?? Number.NEGATIVE_INFINITY) > nowMono;
  }

  begin(peer: NodeId, phase: Phase, isOwn: boolean, now: Now): Dial {
    const bytes = this.#random(12);
    const dial: Dial = {
      peer,
      channel: bytesToHex(bytes.subarray(4)),
      localIndex: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0),
      isOwn,
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

  /** In the order in which they began. */
  #alike(isOwn: boolean): Dial[] {
    return this.all().filter((dial) => dial.isOwn === isOwn);
  }
}
