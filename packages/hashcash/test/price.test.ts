import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { firstBid, firstPrice, nextPrice, PRICE_CAP, PUBLISH_FLOOR, raisedBid, SEND_FLOOR } from "../src/index.ts";

const shedding = (...served: number[]) => ({ served, isShedding: true });
const quiet = { served: [5, 5, 5], isShedding: false };

describe("the price", () => {
  test("is the 10th percentile of what was served, which a few giants do not move", () => {
    const served = [...Array.from({ length: 18 }, () => 2), 1e9, 1e9];
    expect(nextPrice({ multiple: 1.9, atMono: 0 }, shedding(...served), 1000).multiple).toBe(2);
  });

  test("doubles in a second at most, falls by 15 % a second, and never under the floor", () => {
    expect(nextPrice({ multiple: 4, atMono: 0 }, shedding(1000), 1000).multiple).toBe(8);
    expect(nextPrice({ multiple: 4, atMono: 0 }, shedding(1000), 500).multiple).toBeCloseTo(4 * Math.SQRT2);
    expect(nextPrice({ multiple: 4, atMono: 0 }, shedding(1), 1000).multiple).toBeCloseTo(3.4);
    expect(nextPrice({ multiple: 4, atMono: 0 }, quiet, 1000).multiple).toBeCloseTo(3.4);
    expect(nextPrice({ multiple: 4, atMono: 0 }, quiet, 60_000).multiple).toBe(1);
    expect(nextPrice(firstPrice(0), { served: [], isShedding: true }, 1000).multiple).toBe(1);
  });

  test("whatever is observed: within its bounds, finite, and the same for the same", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e9, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 1e14, noNaN: true }), { maxLength: 64 }),
        fc.boolean(),
        fc.integer({ min: -5000, max: 100_000 }),
        (multiple, served, isShedding, nowMono) => {
          const price = { multiple, atMono: 0 };
          const next = nextPrice(price, { served, isShedding }, nowMono);
          expect(next).toEqual(nextPrice(price, { served, isShedding }, nowMono));
          const seconds = Math.max(0, nowMono) / 1000;
          expect(next.multiple).toBeGreaterThanOrEqual(1);
          expect(next.multiple).toBeGreaterThanOrEqual(multiple * 0.85 ** seconds * 0.999_999);
          expect(next.multiple).toBeLessThanOrEqual(multiple * 2 ** seconds * 1.000_001);
        },
      ),
    );
  });
});

describe("a bid", () => {
  const cap = PRICE_CAP / SEND_FLOOR;

  test("is 1.15 times what is asked, which is believed up to the cap", () => {
    expect(firstBid(0, SEND_FLOOR)).toBe(1.15);
    expect(firstBid(100, SEND_FLOOR)).toBeCloseTo(115);
    expect(firstBid(2 ** 40, SEND_FLOOR)).toBeCloseTo(1.15 * cap);
    expect(firstBid(2 ** 40, PUBLISH_FLOOR)).toBeCloseTo((1.15 * PRICE_CAP) / PUBLISH_FLOOR);
  });

  test("that was shed is raised by 1.6, or to what is asked; one that was too low to what is asked", () => {
    expect(raisedBid(100, 0, true, SEND_FLOOR)).toBeCloseTo(160);
    expect(raisedBid(100, 200, true, SEND_FLOOR)).toBeCloseTo(230);
    expect(raisedBid(100, 101, false, SEND_FLOOR)).toBeCloseTo(116.15);
    expect(raisedBid(100, 200, false, SEND_FLOOR)).toBeCloseTo(230);
  });

  test("that was refused at what is asked, or above the cap, is raised by 1.6 all the same", () => {
    expect(raisedBid(100, 50, false, SEND_FLOOR)).toBeCloseTo(160);
    expect(raisedBid(100, 90, false, SEND_FLOOR)).toBeCloseTo(160);
    expect(raisedBid(1.1 * cap, 2 ** 40, false, SEND_FLOOR)).toBeCloseTo(1.6 * 1.1 * cap);
    expect(raisedBid(1.15 * cap, 2 ** 40, false, SEND_FLOOR)).toBeCloseTo(1.6 * 1.15 * cap);
  });

  test("whatever is told: each refusal costs at least 1.15 times what the last did, so there are few before a deadline", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.oneof(
          fc.double({ min: 0, max: 1e12, noNaN: true }),
          // About what was bid: there the rules meet.
          fc.double({ min: 0.5, max: 2, noNaN: true }).map((times) => ({ times })),
        ),
        fc.boolean(),
        (bid, toldOr, isShed) => {
          const told = typeof toldOr === "number" ? toldOr : toldOr.times * bid;
          expect(raisedBid(bid, told, isShed, SEND_FLOOR)).toBeGreaterThanOrEqual(1.1499 * bid);
        },
      ),
    );
  });
});
