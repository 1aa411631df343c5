import type { NodeId } from "@starling/crypto-identity";

// Sends to be looked at again after a while. All wait equally long, so a queue is in order.

export type Watched = { readonly id: string; readonly peer: NodeId; readonly token: number; readonly dueMono: number };

/** The owner is told times in such steps: were it woken for each, it would be each millisecond, which costs more than what is found. */
const STEP_MS = 25;

export class AckWatch {
  // BOUNDED: one for each out-link of a pending envelope.
  #queue: Watched[] = [];
  #first = 0;
  readonly #waitMs: number;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  add(id: string, peer: NodeId, token: number, nowMono: number): void {
    this.#queue.push({ id, peer, token, dueMono: nowMono + this.#waitMs });
  }

  takeDue(nowMono: number): Watched[] {
    const due: Watched[] = [];
    for (let next = this.#queue[this.#first]; next !== undefined; next = this.#queue[this.#first]) {
      if (next.dueMono > nowMono) break;
      due.push(next);
      this.#first += 1;
    }
    if (2 * this.#first >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return due;
  }

  nextDeadline(): number | null {
    const first = this.#queue[this.#first];
    return first === undefined ? null : Math.ceil(first.dueMono / STEP_MS) * STEP_MS;
  }
}
