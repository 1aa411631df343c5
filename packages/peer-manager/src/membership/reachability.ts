import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { jittered } from "./jitter.ts";

// Whether this node believes that strangers can reach it, PROTOCOL §6. It asks a neighbour for a DialBack, who has another one dial
// us; that one's Hello, unasked and from where we have sent nothing lately, is the proof: no binding of a NAT was open for it.
//
//   unknown ── two Welcomes within 15 min (the operator's word is one) ──▶ believed ── 15 min without ──▶ unknown
//
// A Welcome counts for longer while the session that it opened lives: in a small network nobody is left who has not heard from us.

const WELCOME_MS = 15 * 60_000;
const WELCOMES = 2;
const ASK_FIRST_MS = 3000;
const ASK_EVERY_MS = 5 * 60_000;
// BOUNDED: the Welcome longest ago makes room.
const WELCOMES_MAX = 16;

export class Reachability {
  readonly #isAnnounced: boolean;
  readonly #random: RandomSource;
  readonly #welcomes = new Map<NodeId, { readonly atMono: number; isOpen: boolean }>();
  #askDueMono = 0;
  #askWaitMs = ASK_FIRST_MS;

  constructor(isAnnounced: boolean, random: RandomSource) {
    this.#isAnnounced = isAnnounced;
    this.#random = random;
  }

  believes(nowMono: number): boolean {
    let count = this.#isAnnounced ? 1 : 0;
    for (const { atMono, isOpen } of this.#welcomes.values()) if (isOpen || nowMono < atMono + WELCOME_MS) count += 1;
    return count >= WELCOMES;
  }

  /** A peer reached us unasked. */
  welcomed(peer: NodeId, nowMono: number): void {
    this.#welcomes.delete(peer);
    this.#welcomes.set(peer, { atMono: nowMono, isOpen: true });
    const oldest = this.#welcomes.keys().next();
    if (this.#welcomes.size > WELCOMES_MAX && !oldest.done) this.#welcomes.delete(oldest.value);
  }

  linkClosed(peer: NodeId): void {
    const welcome = this.#welcomes.get(peer);
    if (welcome !== undefined) welcome.isOpen = false;
  }

  /** We are elsewhere: what was proved holds no more. */
  addressChanged(nowMono: number): void {
    this.#welcomes.clear();
    this.#askWaitMs = ASK_FIRST_MS;
    this.#askDueMono = nowMono;
  }

  /** Whether to ask for a DialBack now; the next is then due later: soon while unknown, each 5 min at last. */
  takeAsk(nowMono: number): boolean {
    if (nowMono < this.#askDueMono) return false;
    this.#askDueMono = nowMono + jittered(this.believes(nowMono) ? ASK_EVERY_MS : this.#askWaitMs, this.#random);
    this.#askWaitMs = Math.min(2 * this.#askWaitMs, ASK_EVERY_MS);
    return true;
  }

  get askDueMono(): number {
    return this.#askDueMono;
  }
}
