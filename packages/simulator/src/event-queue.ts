import type { Address } from "@starling/wire-protocol";

/** What an event may fall on without a closure of its own: a host, of which there are thousands. */
export type EventTarget = {
  onTimer(): void;
  onDatagram(bytes: Uint8Array, from: Address): void;
};

const FIRST_CAPACITY = 1024;
const NOTHING = new Uint8Array(0);
const NOWHERE: Address = { ip: "0.0.0.0", port: 0 };
const NOBODY: EventTarget = { onTimer: () => {}, onDatagram: () => {} };

/** A slot of the queue. Slots are used again, so that millions of datagrams make no objects. */
type Slot = {
  run: (() => void) | undefined;
  target: EventTarget;
  /** Empty for a timer: no datagram is. */
  bytes: Uint8Array;
  from: Address;
};

/**
 * Virtual time: events in the order of their time, those of one time in the order in which they were planned. A binary heap over
 * typed arrays: one run of ten thousand nodes holds some hundred thousand events at once and passes tens of millions.
 */
export class EventQueue {
  nowMs = 0;
  /** Events that were run. */
  count = 0;
  #size = 0;
  #order = 0;
  #times: Float64Array = new Float64Array(FIRST_CAPACITY);
  #orders: Float64Array = new Float64Array(FIRST_CAPACITY);
  #slotAt: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#size;
  }

  at(atMs: number, run: () => void): void {
    this.#push(atMs, run, NOBODY, NOTHING, NOWHERE);
  }

  timer(atMs: number, target: EventTarget): void {
    this.#push(atMs, undefined, target, NOTHING, NOWHERE);
  }

  /** The bytes are the receiver's from now on. */
  datagram(atMs: number, target: EventTarget, bytes: Uint8Array, from: Address): void {
    this.#push(atMs, undefined, target, bytes, from);
  }

  /** Runs the next event, or returns false where none is planned up to `untilMs`, and then it is that late. */
  step(untilMs: number): boolean {
    if (this.#size === 0 || (this.#times[0] as number) > untilMs) {
      if (untilMs !== Number.POSITIVE_INFINITY) this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    this.nowMs = this.#times[0] as number;
    const at = this.#slotAt[0] as number;
    this.#removeFirst();
    const slot = this.#slots[at] as Slot;
    const { run, target, bytes, from } = slot;
    slot.run = undefined;
    slot.target = NOBODY;
    slot.bytes = NOTHING;
    this.#free.push(at);
    this.count += 1;
    if (run !== undefined) run();
    else if (bytes.length === 0) target.onTimer();
    else target.onDatagram(bytes, from);
    return true;
  }

  #push(atMs: number, run: (() => void) | undefined, target: EventTarget, bytes: Uint8Array, from: Address): void {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#slots.length;
      this.#slots.push({ run, target, bytes, from });
    } else {
      const used = this.#slots[slot] as Slot;
      used.run = run;
      used.target = target;
      used.bytes = bytes;
      used.from = from;
    }
    if (this.#size === this.#times.length) this.#grow();
    const time = Math.max(atMs, this.nowMs);
    const order = this.#order;
    this.#order += 1;
    let i = this.#size;
    this.#size += 1;
    const [times, orders, slotAt] = [this.#times, this.#orders, this.#slotAt];
    while (i > 0) {
      const parent = (i - 1) >> 1;
      // A later order never comes before an earlier one of the same time.
      if ((times[parent] as number) <= time) break;
      times[i] = times[parent] as number;
      orders[i] = orders[parent] as number;
      slotAt[i] = slotAt[parent] as number;
      i = parent;
    }
    times[i] = time;
    orders[i] = order;
    slotAt[i] = slot;
  }

  #removeFirst(): void {
    const [times, orders, slotAt] = [this.#times, this.#orders, this.#slotAt];
    this.#size -= 1;
    const size = this.#size;
    const time = times[size] as number;
    const order = orders[size] as number;
    const slot = slotAt[size] as number;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, times[child] as number, orders[child] as number)) child += 1;
      if (!this.#isBefore(child, time, order)) break;
      times[i] = times[child] as number;
      orders[i] = orders[child] as number;
      slotAt[i] = slotAt[child] as number;
      i = child;
    }
    times[i] = time;
    orders[i] = order;
    slotAt[i] = slot;
  }

  #isBefore(i: number, time: number, order: number): boolean {
    const other = this.#times[i] as number;
    return other < time || (other === time && (this.#orders[i] as number) < order);
  }

  #grow(): void {
    const [times, orders, slotAt] = [this.#times, this.#orders, this.#slotAt];
    this.#times = new Float64Array(times.length * 2);
    this.#orders = new Float64Array(times.length * 2);
    this.#slotAt = new Uint32Array(times.length * 2);
    this.#times.set(times);
    this.#orders.set(orders);
    this.#slotAt.set(slotAt);
  }
}
