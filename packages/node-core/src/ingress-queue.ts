import type { NodeId } from "@starling/crypto-identity";
import { firstPrice, nextPrice, type Price } from "@starling/hashcash";

// What waits to be carried, PROTOCOL §7.8. The node carries so many messages a second, and of each link as many as the link's own quota
// holds; while more come, each ingress link has a queue, the queues are served in turn, and within one the stamps that claim the most
// for their size go first. So whoever fills one link takes nothing from the others, and on that link pays more than those it
// displaces. Without congestion nothing waits.

// BOUNDED: what waits of one link, in messages and bytes; what claims least makes room. Links are bounded by their table.
const WAITING_MAX = 16;
const WAITING_MAX_BYTES = 256 * 1024;
// BOUNDED: bytes that wait of all links; the link that holds the most makes room.
const WAITING_ALL_MAX_BYTES = 16 * 1024 * 1024;
/** Longer than this nothing waits: its author has given the attempt up. */
const WAIT_MS = 1000;
/** Served at once after a quiet time: this much of a second's worth, one message at least. */
const BURST_PART = 0.1;
const STEP_MS = 100;
/** A link whose own quota is used up is looked at again after this. */
const HOLD_MS = 20;
/** One message of allowance, but for what adding up fractions of it loses. */
const WHOLE = 1 - 1e-6;
/** A link that shed something counts as congested for so long: it serves a few messages a second. */
const CONGESTED_MS = 2000;
/** BOUNDED: multiples of what was last served of one link, which are enough for its 10th percentile. */
const SERVED_MAX = 32;

export type Waiting<Item> = {
  readonly link: NodeId;
  /** Of the message: a link has one copy waiting at most. */
  readonly id: string;
  readonly item: Item;
  readonly sizeBytes: number;
  /** What its stamp claims, as a multiple of the floor for its size. */
  readonly multiple: number;
  readonly sinceMono: number;
};

/** What had to go, and whether for its link's own quota or for what the node carries in all. */
export type Shed<Item> = { readonly waiting: Waiting<Item>; readonly limit: "link" | "total" };

type Ingress<Item> = {
  /** Highest multiple first. */
  readonly waiting: Waiting<Item>[];
  waitingBytes: number;
  price: Price;
  readonly served: number[];
  congestedUntilMono: number;
  /** Its own quota was used up when its turn came. */
  heldUntilMono: number;
};

export type IngressQueueOptions = {
  /** Messages carried a second. */
  readonly perSecond: number;
  /** Whether a link's own quota holds one message of this size. */
  readonly linkHas: (link: NodeId, sizeBytes: number, nowMono: number) => boolean;
};

/** Messages that wait to be carried, a queue for each link: links take turns, of a link the dearest stamp goes first. */
export class IngressQueue<Item> {
  readonly #perSecond: number;
  readonly #linkHas: IngressQueueOptions["linkHas"];
  // BOUNDED: open links; `closed` drops them.
  readonly #links = new Map<NodeId, Ingress<Item>>();
  #allowance: number;
  #atMono = 0;
  #waitingCount = 0;
  #waitingBytes = 0;
  /** All that wait are held by their links' quotas until then. */
  #heldUntilMono = Number.NEGATIVE_INFINITY;

  constructor({ perSecond, linkHas }: IngressQueueOptions) {
    this.#perSecond = perSecond;
    this.#linkHas = linkHas;
    this.#allowance = this.#burst;
  }

  /** Messages waiting, of all links. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** What this link is asked for now, as a multiple of the floor. */
  price(link: NodeId, nowMono: number): number {
    const ingress = this.#links.get(link);
    return ingress === undefined ? 1 : this.#step(ingress, nowMono).multiple;
  }

  /** What the link that pays most is asked for now. */
  highestPrice(nowMono: number): number {
    let highest = 1;
    for (const ingress of this.#links.values()) highest = Math.max(highest, this.#step(ingress, nowMono).multiple);
    return highest;
  }

  /** Whether one that claims this may be carried at once: nothing waits. It then counts as served. */
  passes(link: NodeId, sizeBytes: number, multiple: number, nowMono: number): boolean {
    this.#refill(nowMono);
    if (this.#waitingCount > 0 || this.#allowance < WHOLE || !this.#linkHas(link, sizeBytes, nowMono)) return false;
    this.#allowance -= 1;
    // What is carried without a queue is remembered only of links that have one.
    const ingress = this.#links.get(link);
    if (ingress !== undefined) noteServed(ingress, multiple);
    return true;
  }

  /** Whether a copy that came over this link waits already. */
  waits(link: NodeId, id: string): boolean {
    return this.#links.get(link)?.waiting.some((waiting) => waiting.id === id) === true;
  }

  /** Takes in what has passed the ladder; what is shed for it is returned, maybe itself. */
  offer(offered: Omit<Waiting<Item>, "sinceMono">, nowMono: number): Shed<Item>[] {
    const ingress = this.#of(offered.link, nowMono);
    const { waiting } = ingress;
    const entry = { ...offered, sinceMono: nowMono };
    const before = waiting.findIndex(({ multiple }) => multiple < entry.multiple);
    waiting.splice(before < 0 ? waiting.length : before, 0, entry);
    this.#waitingCount += 1;
    this.#waitingBytes += entry.sizeBytes;
    ingress.waitingBytes += entry.sizeBytes;
    this.#heldUntilMono = Number.NEGATIVE_INFINITY;
    const shed: Shed<Item>[] = [];
    while (waiting.length > WAITING_MAX || ingress.waitingBytes > WAITING_MAX_BYTES) {
      shed.push(this.#shed(ingress, waiting.length - 1, nowMono));
    }
    while (this.#waitingBytes > WAITING_ALL_MAX_BYTES) {
      const fullest = this.#fullest(ingress);
      shed.push(this.#shed(fullest, fullest.waiting.length - 1, nowMono));
    }
    return shed;
  }

  /** What is to be carried now, the links in turn; and what has waited too long. */
  serve(nowMono: number): { readonly served: Waiting<Item>[]; readonly shed: Shed<Item>[] } {
    this.#refill(nowMono);
    const served: Waiting<Item>[] = [];
    const shed: Shed<Item>[] = [];
    if (this.#waitingCount === 0) return { served, shed };
    for (const ingress of this.#links.values()) {
      for (let at = ingress.waiting.length - 1; at >= 0; at -= 1) {
        if ((ingress.waiting[at] as Waiting<Item>).sinceMono + WAIT_MS > nowMono) continue;
        shed.push(this.#shed(ingress, at, nowMono));
      }
      this.#step(ingress, nowMono);
    }
    let isAnyServed = true;
    while (this.#allowance >= WHOLE && isAnyServed) {
      isAnyServed = false;
      for (const [link, ingress] of [...this.#links]) {
        if (this.#allowance < WHOLE || !this.#isReady(link, ingress, nowMono)) continue;
        served.push(this.#serveOne(link, ingress));
        isAnyServed = true;
      }
    }
    this.#heldUntilMono = this.#allowance < WHOLE ? Number.NEGATIVE_INFINITY : this.#firstHold();
    return { served, shed };
  }

  /** When `serve` is to be called. */
  nextDeadline(): number | null {
    if (this.#waitingCount === 0) return null;
    const allowedMono = this.#atMono + Math.max(0, ((1 - this.#allowance) / this.#perSecond) * 1000);
    return Math.max(allowedMono, this.#heldUntilMono);
  }

  /** Forgets a link and what waits of it. */
  closed(link: NodeId): void {
    const ingress = this.#links.get(link);
    if (ingress === undefined) return;
    this.#waitingCount -= ingress.waiting.length;
    this.#waitingBytes -= ingress.waitingBytes;
    this.#links.delete(link);
  }

  #isReady(link: NodeId, ingress: Ingress<Item>, nowMono: number): boolean {
    const [next] = ingress.waiting;
    if (next === undefined || nowMono < ingress.heldUntilMono) return false;
    if (this.#linkHas(link, next.sizeBytes, nowMono)) return true;
    ingress.heldUntilMono = nowMono + HOLD_MS;
    return false;
  }

  #firstHold(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { waiting, heldUntilMono } of this.#links.values()) {
      if (waiting.length > 0) first = Math.min(first, heldUntilMono);
    }
    return first;
  }

  /** The link goes to the end of the row, so that the others have their turn before its next. */
  #serveOne(link: NodeId, ingress: Ingress<Item>): Waiting<Item> {
    this.#allowance -= 1;
    this.#links.delete(link);
    this.#links.set(link, ingress);
    ingress.heldUntilMono = Number.NEGATIVE_INFINITY;
    const entry = this.#take(ingress, 0);
    noteServed(ingress, entry.multiple);
    return entry;
  }

  #shed(ingress: Ingress<Item>, at: number, nowMono: number): Shed<Item> {
    ingress.congestedUntilMono = nowMono + CONGESTED_MS;
    const limit = ingress.heldUntilMono === Number.NEGATIVE_INFINITY ? "total" : "link";
    return { waiting: this.#take(ingress, at), limit };
  }

  #take(ingress: Ingress<Item>, at: number): Waiting<Item> {
    const [entry] = ingress.waiting.splice(at, 1) as [Waiting<Item>];
    ingress.waitingBytes -= entry.sizeBytes;
    this.#waitingBytes -= entry.sizeBytes;
    this.#waitingCount -= 1;
    return entry;
  }

  #fullest(first: Ingress<Item>): Ingress<Item> {
    let fullest = first;
    for (const ingress of this.#links.values()) if (ingress.waitingBytes > fullest.waitingBytes) fullest = ingress;
    return fullest;
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
      ingress = {
        waiting: [],
        waitingBytes: 0,
        price: firstPrice(nowMono),
        served: [],
        congestedUntilMono: Number.NEGATIVE_INFINITY,
        heldUntilMono: Number.NEGATIVE_INFINITY,
      };
      this.#links.set(link, ingress);
    }
    return ingress;
  }
}

function noteServed({ served }: Pick<Ingress<unknown>, "served">, multiple: number): void {
  served.push(multiple);
  if (served.length > SERVED_MAX) served.shift();
}
