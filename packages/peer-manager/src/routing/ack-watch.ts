import type { NodeId } from "@starling/crypto-identity";

// When an ack that has not come counts as missing, PROTOCOL §5: 3 s after the Send. All wait equally long, so a queue is in order.

const WAIT_MS = 3000;

export type Watched = { readonly id: string; readonly peer: NodeId; readonly dueMono: number };

export class AckWatch {
  // BOUNDED: one for each out-link of a pending envelope.
  #queue: Watched[] = [];
  #first = 0;

  add(id: string, peer: NodeId, nowMono: number): void {
    this.#queue.push({ id, peer, dueMono: nowMono + WAIT_MS });
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
    return this.#queue[this.#first]?.dueMono ?? null;
  }
}
