// What a node asks for carrying on one of its links, and what an author bids (PROTOCOL §7.8). A price is a multiple of the floor, so
// that one price serves stamps of both kinds and of every size.
//
// It is the marginal price: under congestion the 10th percentile of what was served, so that nine in ten of those paid more than is
// asked. A few giant stamps move a mean, but not this. It rises to there by 100 % a second at most and falls by 15 % a second.

const RISE_PER_SECOND = 2;
const FALL_PER_SECOND = 0.85;
const MARGIN = 0.1;

/** What is asked for now, as a multiple of the floor. */
export type Price = {
  /** 1 or more; 1 asks for the floor. */
  readonly multiple: number;
  /** Monotonic time of the last step, ms. */
  readonly atMono: number;
};

/** What happened since the last step of a price. */
export type PriceObservation = {
  /** Multiples of the floor that the stamps claimed of what was last served. */
  readonly served: readonly number[];
  /** Whether something was shed since the last step for want of room. */
  readonly isShedding: boolean;
};

/** The price before anything was seen: the floor. */
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

/** A price told by somebody else is not followed above this effort for 512 bytes. */
export const PRICE_CAP: number = 2 ** 24;
const BID = 1.15;
const RAISE = 1.6;

// A bid is a multiple of the floor, like a price, and so is what is told here: a price told for a stamp, over the floor of that stamp.
// Whoever tells it is not trusted. `floor` is that of 512 bytes.

/** What to claim first where a neighbour asks for this. */
export function firstBid(told: number, floor: number): number {
  return BID * believed(told, floor);
}

function believed(told: number, floor: number): number {
  return Math.max(1, Math.min(told, PRICE_CAP / floor));
}

/**
 * What to claim after this bid was refused, and this told. One that was too low goes to what is asked; one that was not, or is above
 * the cap of what is believed, or was shed, is raised by a step of its own, so that a liar is outbid or the deadline comes.
 */
export function raisedBid(bid: number, told: number, isShed: boolean, floor: number): number {
  const asked = firstBid(told, floor);
  const isTooLow = !isShed && believed(told, floor) >= bid;
  return isTooLow ? asked : Math.max(RAISE * bid, asked);
}
