import { ACK_BITMAP_MAX_BYTES, type Ack } from "@starling/wire-protocol";
import { fromWireNumber, toWireNumber } from "./frame-number.ts";
import { ACK_DELAY_MS, ACK_PENDING_MAX, RECEIVER_WINDOW } from "./limits.ts";

const FIRST_NUMBERS = 256;

/** Which reliable frames arrived, and when the peer is to be told (PROTOCOL §5.1). */
export class ReceiveWindow {
  // BOUNDED: one bit for each of 4096 numbers, a ring; a smaller one until a number needs more.
  #bits: Uint8Array = new Uint8Array(FIRST_NUMBERS / 8);
  /** The lowest number that has not arrived. */
  #lowest = 0;
  /** One above the highest number that has arrived. */
  #next = 0;
  #pendingCount = 0;
  #ackDueMono = Number.POSITIVE_INFINITY;

  /** When an Ack must leave, infinity when none is owed. */
  get ackDueMono(): number {
    return this.#ackDueMono;
  }

  numberOf(wireNumber: number): number {
    return fromWireNumber(wireNumber, this.#lowest);
  }

  /** Changes nothing: whether this number is new, was taken already, or is too far ahead to be remembered. */
  verdict(number: number): "new" | "repeated" | "beyond" {
    if (number < this.#lowest) return "repeated";
    if (number >= this.#lowest + RECEIVER_WINDOW) return "beyond";
    return this.#has(number) ? "repeated" : "new";
  }

  /** Takes a number whose verdict was "new". */
  take(number: number): void {
    if (number >= this.#lowest + this.#capacity) this.#grow();
    this.#set(number);
    if (number >= this.#next) this.#next = number + 1;
    while (this.#has(this.#lowest)) {
      const low = this.#lowest % this.#capacity;
      this.#bits[low >> 3] = (this.#bits[low >> 3] ?? 0) & ~(1 << (low & 7));
      this.#lowest += 1;
    }
  }

  /** A frame that is to be acknowledged arrived, for the first time or again. */
  oweAck(nowMono: number): void {
    this.#pendingCount += 1;
    const dueMono = this.#pendingCount >= ACK_PENDING_MAX ? nowMono : nowMono + ACK_DELAY_MS;
    this.#ackDueMono = Math.min(this.#ackDueMono, dueMono);
  }

  ack(): Ack {
    const bits = Math.max(0, Math.min(this.#next - this.#lowest - 1, 8 * ACK_BITMAP_MAX_BYTES));
    const bitmap = new Uint8Array((bits + 7) >> 3);
    for (let bit = 0; bit < bits; bit += 1) {
      if (this.#has(this.#lowest + 1 + bit)) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    return { lowest: toWireNumber(this.#lowest), bitmap };
  }

  ackSent(): void {
    this.#pendingCount = 0;
    this.#ackDueMono = Number.POSITIVE_INFINITY;
  }

  get #capacity(): number {
    return 8 * this.#bits.length;
  }

  #grow(): void {
    const taken: number[] = [];
    for (let number = this.#lowest; number < this.#next; number += 1) if (this.#has(number)) taken.push(number);
    this.#bits = new Uint8Array(RECEIVER_WINDOW / 8);
    for (const number of taken) this.#set(number);
  }

  #set(number: number): void {
    const slot = number % this.#capacity;
    this.#bits[slot >> 3] = (this.#bits[slot >> 3] ?? 0) | (1 << (slot & 7));
  }

  #has(number: number): boolean {
    if (number >= this.#lowest + this.#capacity) return false;
    const slot = number % this.#capacity;
    return ((this.#bits[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0;
  }
}
