// What a node asks for carrying on one of its links, and what an author bids (PROTOCOL §7). A price is a multiple of the floor, so
// that one price serves stamps of both kinds and of every size.
//
// It is the marginal price: under congestion the 10th percentile of what was served, so that nine in ten of those paid more than is
// asked. A few giant stamps move a mean, but not this. It rises to there by 100 % a second at most and falls by 15 % a second.

const RISE_PER_SECOND = 2;
const FALL_PER_SECOND = 0.85;
const MARGIN = 0.1;

export type Price = {
  /** 1 or more; 1 asks for the floor. */
  readonly multiple: number;
  /** Monotonic time of the last step, ms. */
  readonly atMono: number;
};

export type PriceObservation = {
  /** Multiples of the floor that the stamps claimed of what was last served. */
  readonly served: readonly number[];
  /** Whether something was shed since the last step for want of room. */
  readonly isShedding: boolean;
};

export function firstPrice(nowMono: number): Price {
  return { multiple: 1, atMono: nowMono };
}

/** The price after what was observed. Pure: equal arguments give an equal price. */
export function nextPrice(price: Price, { served, isShedding }: PriceObservation, nowMono: number): Price {
  const seconds = Math.max(0, nowMono - price.atMono) / 1000;
  const least = Math.max(1, price.multiple * FALL_PER_SECOND ** seconds);
  const sorted = [...served].sort((a, b) => a - b);
  const marginal = sorted[Math.floor(sorted.length * MARGIN)];
  if (!isShedding || marginal === undefined) return { multiple: least, atMono: nowMono };
  const most = price.multiple * RISE_PER_SECOND ** seconds;
  return { multiple: Math.min(Math.max(least, marginal), Math.max(least, most)), atMono: nowMono };
}

/** A price told by somebody else is not followed above this effort. */
export const PRICE_CAP: number = 2 ** 22;
const BID = 1.15;
const RAISE = 1.6;

/** What to claim first, of a floor and the effort that a neighbour asks for the same size (untrusted). */
export function firstBid(floor: number, told: number): number {
  return Math.ceil(BID * Math.max(floor, Math.min(told, PRICE_CAP)));
}

/** What to claim after having been refused or shed at this bid, and told this price (untrusted). */
export function raisedBid(bid: number, told: number, isShed: boolean): number {
  const raised = isShed ? RAISE * bid : bid;
  return Math.ceil(Math.max(raised, BID * Math.min(told, PRICE_CAP)));
}
