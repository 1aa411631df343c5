import type { NodeId } from "@starling/crypto-identity";
import { firstPrice, nextPrice, type Price } from "@starling/hashcash";

// What waits to be carried, PROTOCOL §7. The node carries so many messages a second; while more come, each ingress link has a queue,
// the queues are served in turn, and within one the stamps that claim the most for their size go first. So whoever fills one link
// takes nothing from the others, and on that link pays more than those it displaces. Without congestion nothing waits.

// BOUNDED: what waits of one link, in messages and bytes; what claims least makes room. Links are bounded by their table.
const WAITING_MAX = 16;
const WAITING_MAX_BYTES = 256 * 1024;
/** Longer than this nothing waits: its author has given the attempt up. */
const WAIT_MS = 1000;
/** Served at once after a quiet time: this much of a second's worth, one message at least. */
const BURST_PART = 0.1;
const STEP_MS = 100;
/** One message of allowance, but for what adding up fractions of it loses. */
const WHOLE = 1 - 1e-6;
/** A link that shed something counts as congested for so long: it serves a few messages a second. */
const CONGESTED_MS = 2000;
/** BOUNDED: multiples of what was last served of one link, which are enough for its 10th percentile. */
const SERVED_MAX = 32;

export type Waiting<Item> = {
  readonly link: NodeId;
  readonly item: Item;
  readonly sizeBytes: number;
  /** What its stamp claims, as a multiple of the floor for its size. */
  readonly multiple: number;
  readonly sinceMono: number;
};

type Ingress<Item> = {
  /** Highest multiple first. */
  readonly waiting: Waiting<Item>[];
  waitingBytes: number;
  price: Price;
  readonly served: number[];
  congestedUntilMono: number;
};

export class IngressQueue<Item> {
  readonly #perSecond: number;
  // BOUNDED: open links; `closed` drops them.
  readonly #links = new Map<NodeId, Ingress<Item>>();
  #allowance: number;
  #atMono = 0;
  #waitingCount = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#allowance = this.#burst;
  }

  /** What this link is asked for now, as a multiple of the floor. */
  price(link: NodeId, nowMono: number): number {
    const ingress = this.#links.get(link);
    return ingress === undefined ? 1 : this.#step(ingress, nowMono).multiple;
  }

  /** Whether one that claims this may be carried at once: nothing waits. It then counts as served. */
  passes(link: NodeId, multiple: number, nowMono: number): boolean {
    this.#refill(nowMono);
    if (this.#waitingCount > 0 || this.#allowance < WHOLE) return false;
    this.#allowance -= 1;
    // What is carried without a queue is remembered only of links that have one.
    const ingress = this.#links.get(link);
    if (ingress !== undefined) noteServed(ingress, multiple);
    return true;
  }

  /** Takes in what has passed the ladder; what is shed for it is returned, maybe itself. */
  offer(offered: Omit<Waiting<Item>, "sinceMono">, nowMono: number): Waiting<Item>[] {
    const ingress = this.#of(offered.link, nowMono);
    const { waiting } = ingress;
    const entry = { ...offered, sinceMono: nowMono };
    const before = waiting.findIndex(({ multiple }) => multiple < entry.multiple);
    waiting.splice(before < 0 ? waiting.length : before, 0, entry);
    this.#waitingCount += 1;
    ingress.waitingBytes += entry.sizeBytes;
    const shed: Waiting<Item>[] = [];
    while (waiting.length > WAITING_MAX || ingress.waitingBytes > WAITING_MAX_BYTES) {
      shed.push(this.#take(ingress, waiting.length - 1));
      ingress.congestedUntilMono = nowMono + CONGESTED_MS;
    }
    return shed;
  }

  /** What is to be carried now, the links in turn; and what has waited too long. */
  serve(nowMono: number): { readonly served: Waiting<Item>[]; readonly shed: Waiting<Item>[] } {
    this.#refill(nowMono);
    const served: Waiting<Item>[] = [];
    const shed: Waiting<Item>[] = [];
    if (this.#waitingCount === 0) return { served, shed };
    for (const [link, ingress] of [...this.#links]) {
      for (let at = ingress.waiting.length - 1; at >= 0; at -= 1) {
        if ((ingress.waiting[at] as Waiting<Item>).sinceMono + WAIT_MS > nowMono) continue;
        shed.push(this.#take(ingress, at));
        ingress.congestedUntilMono = nowMono + CONGESTED_MS;
      }
      this.#step(ingress, nowMono);
      if (this.#allowance < WHOLE || ingress.waiting.length === 0) continue;
      served.push(this.#serveOne(link, ingress));
    }
    // More than one a link, while there is allowance for it.
    let isAnyServed = true;
    while (this.#allowance >= WHOLE && isAnyServed) {
      isAnyServed = false;
      for (const [link, ingress] of [...this.#links]) {
        if (this.#allowance < WHOLE || ingress.waiting.length === 0) continue;
        served.push(this.#serveOne(link, ingress));
        isAnyServed = true;
      }
    }
    return { served, shed };
  }

  /** When `serve` is to be called. */
  nextDeadline(): number | null {
    if (this.#waitingCount === 0) return null;
    return this.#atMono + Math.max(0, ((1 - this.#allowance) / this.#perSecond) * 1000);
  }

  closed(link: NodeId): void {
    this.#waitingCount -= this.#links.get(link)?.waiting.length ?? 0;
    this.#links.delete(link);
  }

  /** The link goes to the end of the row, so that the others have their turn before its next. */
  #serveOne(link: NodeId, ingress: Ingress<Item>): Waiting<Item> {
    this.#allowance -= 1;
    this.#links.delete(link);
    this.#links.set(link, ingress);
    const entry = this.#take(ingress, 0);
    noteServed(ingress, entry.multiple);
    return entry;
  }

  #take(ingress: Ingress<Item>, at: number): Waiting<Item> {
    const [entry] = ingress.waiting.splice(at, 1) as [Waiting<Item>];
    ingress.waitingBytes -= entry.sizeBytes;
    this.#waitingCount -= 1;
    return entry;
  }

  #step(ingress: Ingress<Item>, nowMono: number): Price {
    if (nowMono - ingress.price.atMono < STEP_MS) return ingress.price;
    const isShedding = nowMono < ingress.congestedUntilMono;
    ingress.price = nextPrice(ingress.price, { served: ingress.served, isShedding }, nowMono);
    return ingress.price;
  }

  #refill(nowMono: number): void {
    const seconds = Math.max(0, nowMono - this.#atMono) / 1000;
    this.#allowance = Math.min(this.#burst, this.#allowance + seconds * this.#perSecond);
    this.#atMono = nowMono;
  }

  get #burst(): number {
    return Math.max(1, this.#perSecond * BURST_PART);
  }

  #of(link: NodeId, nowMono: number): Ingress<Item> {
    let ingress = this.#links.get(link);
    if (ingress === undefined) {
      const price = firstPrice(nowMono);
      ingress = { waiting: [], waitingBytes: 0, price, served: [], congestedUntilMono: Number.NEGATIVE_INFINITY };
      this.#links.set(link, ingress);
    }
    return ingress;
  }
}

function noteServed({ served }: Pick<Ingress<unknown>, "served">, multiple: number): void {
  served.push(multiple);
  if (served.length > SERVED_MAX) served.shift();
}
