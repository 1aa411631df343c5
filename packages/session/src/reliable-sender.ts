// The sending half of reliable frames, PROTOCOL §5.1: queue, numbers, window, retries. Frames leave in no promised order.
//
//   enqueue -> queued -> (window has room) numbered, in flight -> acknowledged
//                 ^                          | a Send or a Publish after its tries: undelivered, its numbers become Skips
//                 +---- peer forgot us ------+ anything when the link dies: undelivered
import { type Ack, FRAME_KIND } from "@starling/wire-protocol";
import { Fifo } from "./fifo.ts";
import { fromWireNumber } from "./frame-number.ts";
import { HEAL_AFTER_MS, PUBLISH_TRIES, REASSEMBLY_MS, RTO_MAX_MS, SEND_TRIES } from "./limits.ts";
import { type InFlight, inFlightSizeBytes, type Outgoing } from "./outgoing.ts";
import { admitsLarge, admitsSmall, type WindowUse } from "./send-window.ts";

const RTO_GROWTH = 1.5;

export type AckOutcome = { readonly tokens: number[]; readonly rttMs: number | undefined };

export class ReliableSender {
  // BOUNDED: by the limits of queued frames and bytes, checked by `hasRoom`.
  readonly #small: Fifo<Outgoing> = new Fifo();
  readonly #large: Fifo<Outgoing> = new Fifo();
  // BOUNDED: by the send window. Ascending by number.
  readonly #inFlight: Map<number, InFlight> = new Map();
  #nextNumber = 0;
  #use = { smallCount: 0, smallBytes: 0, fragmentCount: 0, fragmentBytes: 0, largeCount: 0, span: 0 };
  #earliestDueMono = Number.POSITIVE_INFINITY;
  #waitingSinceMono = Number.POSITIVE_INFINITY;
  #lastAckMono = Number.NEGATIVE_INFINITY;
  #heldFrames = 0;
  #heldBytes = 0;

  get queuedBytes(): number {
    return this.#heldBytes;
  }

  /** Since when something has been in flight without any ack; infinity when nothing is. */
  get waitingSinceMono(): number {
    return this.#waitingSinceMono;
  }

  hasRoom(sizeBytes: number, maxFrames: number, maxBytes: number): boolean {
    return this.#heldFrames < maxFrames && this.#heldBytes + sizeBytes <= maxBytes;
  }

  enqueue(outgoing: Outgoing, nowMono: number): void {
    this.#heldFrames += 1;
    this.#heldBytes += outgoing.sizeBytes;
    (outgoing.pieceCount > 1 ? this.#large : this.#small).push(outgoing);
    this.#admit(nowMono);
  }

  /**
   * What is to be sent now, whole frames before fragments, so that an answer does not queue behind a bulk of them. The
   * caller reports each with `sent`; what it does not stays due.
   */
  due(nowMono: number): InFlight[] {
    if (this.#earliestDueMono > nowMono) return [];
    const whole: InFlight[] = [];
    const fragments: InFlight[] = [];
    for (const entry of this.#inFlight.values()) {
      if (entry.dueMono <= nowMono && !isOutOfTries(entry)) (entry.isFragment ? fragments : whole).push(entry);
    }
    return fragments.length === 0 ? whole : whole.concat(fragments);
  }

  /** Without a time to resend, which is infinite where the carrier loses nothing, only what is overtaken is sent again. */
  sent(entry: InFlight, rtoMs: number, nowMono: number): void {
    const isEndless = rtoMs === Number.POSITIVE_INFINITY;
    entry.dueMono = nowMono + (isEndless ? rtoMs : Math.min(RTO_MAX_MS, rtoMs * RTO_GROWTH ** entry.tries));
    entry.tries += 1;
    entry.sentMono = nowMono;
    if (this.#waitingSinceMono === Number.POSITIVE_INFINITY) this.#waitingSinceMono = nowMono;
  }

  /** When the next frame is due, first or again; maybe in the past where the caller could not send all. */
  dueMono(nowMono: number): number {
    if (this.#earliestDueMono <= nowMono) this.#findEarliest();
    return this.#earliestDueMono;
  }

  /** Takes the peer's Ack, which it may have made up; undefined when it names numbers that never were. */
  acknowledge(ack: Ack, rttMs: number | undefined, nowMono: number): AckOutcome | undefined {
    const lowest = fromWireNumber(ack.lowest, this.#nextNumber);
    if (lowest < 0 || lowest > this.#nextNumber) return undefined;
    const tokens: number[] = [];
    let sampleMono = Number.NEGATIVE_INFINITY;
    for (const entry of this.#inFlight.values()) {
      if (!isNamed(ack, lowest, entry.number) || entry.tries === 0) continue;
      // Only what was sent once tells the round trip: of a repeat nobody knows which copy is acknowledged (RFC 6298 §3).
      if (entry.tries === 1) sampleMono = Math.max(sampleMono, entry.sentMono);
      this.#finish(entry, nowMono, tokens);
    }
    this.#lastAckMono = nowMono;
    if (sampleMono !== Number.NEGATIVE_INFINITY) this.#resendOvertaken(sampleMono, rttMs, nowMono);
    this.#waitingSinceMono = this.#inFlight.size === 0 ? Number.POSITIVE_INFINITY : nowMono;
    this.#admit(nowMono);
    return { tokens, rttMs: sampleMono === Number.NEGATIVE_INFINITY ? undefined : nowMono - sampleMono };
  }

  /** Gives up every frame that is out of tries: how many, and the tokens of those that have one. */
  expire(nowMono: number): { readonly tokens: number[]; readonly handedBackCount: number } {
    const tokens: number[] = [];
    let handedBackCount = 0;
    if (this.#earliestDueMono > nowMono) return { tokens, handedBackCount };
    for (const { outgoing, dueMono, tries } of this.#inFlight.values()) {
      if (outgoing === undefined || dueMono > nowMono || tries < PUBLISH_TRIES) continue;
      if (tries >= triesOf(outgoing)) {
        handedBackCount += 1;
        this.#skip(outgoing, nowMono);
        this.#release(outgoing);
        if (outgoing.token !== undefined) tokens.push(outgoing.token);
      } else if (tries >= SEND_TRIES && this.#isStalled(outgoing, nowMono)) {
        this.#numberAnew(outgoing, nowMono);
      }
    }
    this.#admit(nowMono);
    return { tokens, handedBackCount };
  }

  /** The peer has forgotten what it received: everything unacknowledged gets new numbers and is sent again. */
  restart(nowMono: number): void {
    const again = [...new Set([...this.#inFlight.values()].map((entry) => entry.outgoing))];
    this.#inFlight.clear();
    this.#nextNumber = 0;
    this.#use = { smallCount: 0, smallBytes: 0, fragmentCount: 0, fragmentBytes: 0, largeCount: 0, span: 0 };
    this.#waitingSinceMono = Number.POSITIVE_INFINITY;
    this.#earliestDueMono = Number.POSITIVE_INFINITY;
    const kept = again.filter((outgoing) => outgoing !== undefined);
    for (const outgoing of kept) outgoing.acknowledgedCount = 0;
    this.#small.prepend(kept.filter((outgoing) => outgoing.pieceCount === 1));
    this.#large.prepend(kept.filter((outgoing) => outgoing.pieceCount > 1));
    this.#admit(nowMono);
  }

  /** The tokens of all that was never acknowledged. */
  outstandingTokens(): number[] {
    const tokens: number[] = [];
    const inFlight = [...this.#inFlight.values()].map((entry) => entry.outgoing);
    for (const outgoing of new Set([...inFlight, ...this.#large, ...this.#small])) {
      if (outgoing?.token !== undefined) tokens.push(outgoing.token);
    }
    return tokens;
  }

  /**
   * What was sent well before something that has arrived is lost, however long its time to resend has grown meanwhile
   * (RFC 8985 §3, with half a round trip for reordering). On a channel, which loses nothing and keeps the order, it was not taken.
   */
  #resendOvertaken(arrivedSentMono: number, rttMs: number | undefined, nowMono: number): void {
    if (rttMs === undefined) return;
    const beforeMono = arrivedSentMono - rttMs / 2;
    for (const entry of this.#inFlight.values()) {
      if (entry.tries === 0 || entry.sentMono >= beforeMono || entry.dueMono <= nowMono) continue;
      const { outgoing, tries } = entry;
      // Where there is no time to resend, nothing else comes by that would find it.
      if (outgoing !== undefined && !isOutOfTries(entry) && tries >= SEND_TRIES && this.#isStalled(outgoing, nowMono)) {
        this.#numberAnew(outgoing, nowMono);
        continue;
      }
      entry.dueMono = nowMono;
      this.#earliestDueMono = Math.min(this.#earliestDueMono, nowMono);
    }
  }

  #admit(nowMono: number): void {
    for (let next = this.#large.peek(); next !== undefined; next = this.#large.peek()) {
      if (!admitsLarge(this.#windowUse(), next)) break;
      this.#large.shift();
      this.#use.largeCount += 1;
      this.#launch(next, nowMono);
    }
    for (let next = this.#small.peek(); next !== undefined; next = this.#small.peek()) {
      if (!admitsSmall(this.#windowUse(), next, this.#large.size + this.#use.largeCount > 0)) break;
      this.#small.shift();
      this.#launch(next, nowMono);
    }
  }

  #windowUse(): WindowUse {
    let lowest = this.#nextNumber;
    for (const number of this.#inFlight.keys()) {
      lowest = number;
      break;
    }
    this.#use.span = this.#nextNumber - lowest;
    return this.#use;
  }

  #launch(outgoing: Outgoing, nowMono: number): void {
    outgoing.progressMono = nowMono;
    for (let piece = 0; piece < outgoing.pieceCount; piece += 1) {
      const number = this.#nextNumber;
      const isFragment = outgoing.pieceCount > 1;
      const entry = { number, outgoing, piece, isFragment, sizeBytes: 0, tries: 0, sentMono: 0, dueMono: nowMono };
      entry.sizeBytes = inFlightSizeBytes(entry);
      this.#inFlight.set(number, entry);
      this.#nextNumber += 1;
      this.#charge(entry, 1);
    }
    this.#earliestDueMono = Math.min(this.#earliestDueMono, nowMono);
  }

  #charge(entry: InFlight, sign: 1 | -1): void {
    if (entry.isFragment) {
      this.#use.fragmentCount += sign;
      this.#use.fragmentBytes += sign * entry.sizeBytes;
    } else {
      this.#use.smallCount += sign;
      this.#use.smallBytes += sign * entry.sizeBytes;
    }
  }

  #finish(entry: InFlight, nowMono: number, tokens: number[]): void {
    const { outgoing } = entry;
    this.#inFlight.delete(entry.number);
    this.#charge(entry, -1);
    if (outgoing === undefined) return;
    outgoing.progressMono = nowMono;
    outgoing.acknowledgedCount += 1;
    if (outgoing.acknowledgedCount < outgoing.pieceCount) return;
    if (outgoing.pieceCount > 1) this.#use.largeCount -= 1;
    this.#release(outgoing);
    if (outgoing.token !== undefined) tokens.push(outgoing.token);
  }

  /** Its numbers still have to arrive as something, or the receiver's lowest number would wait for them for ever. */
  #skip(outgoing: Outgoing, nowMono: number): void {
    for (const entry of this.#inFlight.values()) {
      if (entry.outgoing !== outgoing) continue;
      entry.outgoing = undefined;
      entry.dueMono = nowMono;
      entry.tries = 0;
    }
    if (outgoing.pieceCount > 1) this.#use.largeCount -= 1;
    this.#earliestDueMono = Math.min(this.#earliestDueMono, nowMono);
  }

  /** The peer takes no more of it under these numbers: all of it is sent under others. */
  #numberAnew(outgoing: Outgoing, nowMono: number): void {
    this.#skip(outgoing, nowMono);
    outgoing.acknowledgedCount = 0;
    this.#large.prepend([outgoing]);
  }

  #release(outgoing: Outgoing): void {
    this.#heldFrames -= 1;
    this.#heldBytes -= outgoing.sizeBytes;
  }

  /** A large frame whose rest the peer does not take although it acknowledges others: it has dropped what it held of it. */
  #isStalled(outgoing: Outgoing, nowMono: number): boolean {
    return (
      outgoing.pieceCount > 1 &&
      nowMono - outgoing.progressMono >= REASSEMBLY_MS &&
      nowMono - this.#lastAckMono < HEAL_AFTER_MS
    );
  }

  #findEarliest(): void {
    this.#earliestDueMono = Number.POSITIVE_INFINITY;
    for (const entry of this.#inFlight.values()) {
      if (entry.dueMono < this.#earliestDueMono) this.#earliestDueMono = entry.dueMono;
    }
  }
}

function isOutOfTries(entry: InFlight): boolean {
  return entry.outgoing !== undefined && entry.tries >= triesOf(entry.outgoing);
}

/** How often a frame is sent before it is handed back; the others until the link is dead. */
function triesOf({ kind, pieceCount }: Outgoing): number {
  if (kind === FRAME_KIND.send) return SEND_TRIES;
  // Of many pieces one is soon lost twice: a Publish in fragments is tried like any other frame.
  return kind === FRAME_KIND.publish && pieceCount === 1 ? PUBLISH_TRIES : Number.POSITIVE_INFINITY;
}

function isNamed(ack: Ack, lowest: number, number: number): boolean {
  if (number < lowest) return true;
  const bit = number - lowest - 1;
  return bit >= 0 && ((ack.bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}
