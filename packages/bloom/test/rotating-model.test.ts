// The RotatingFilter beside exact sets, over the same random run of virtual time, with stops and restarts in between.
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { RotatingFilter } from "../src/index.ts";
import { countingKey, item } from "./support.ts";

const MAX_CAPACITY = 12;
const ITEMS = 40;

type Step =
  | { type: "add"; index: number; forwardMs: number }
  | { type: "advance"; forwardMs: number }
  /** Stopped for a time of which the next process knows a part, and counts from another origin. */
  | { type: "restart"; stoppedMs: number; known: number; originMs: number };

// Quarters of milliseconds: sums of these are exact.
const quarters = (most: number) => fc.integer({ min: 0, max: 4 * most }).map((count) => count / 4);
const forwardMs = fc.oneof(quarters(20), quarters(60), quarters(400), fc.constant(-5));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("add" as const),
      index: fc.integer({ min: 0, max: ITEMS - 1 }),
      forwardMs,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("advance" as const), forwardMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("restart" as const),
      stoppedMs: quarters(300),
      known: fc.constantFrom(0, 0.5, 1),
      originMs: fc.integer({ min: -1e6, max: 1e6 }),
    }),
  },
);

/** Exact: which items each generation holds. */
class Model {
  current: Set<number> = new Set();
  previous: Set<number> = new Set();
  #startMs = 0;

  advance(ms: number, rotationMs: number): void {
    for (; ms >= this.#startMs + rotationMs; this.#startMs += rotationMs) {
      this.previous = this.current;
      this.current = new Set();
    }
  }

  add(index: number): boolean {
    if (!this.current.has(index) && this.current.size === MAX_CAPACITY) return false;
    this.current.add(index);
    return true;
  }

  has(index: number): boolean {
    return this.current.has(index) || this.previous.has(index);
  }
}

function run(steps: readonly Step[], rotationMs: number): void {
  // Three clocks: the world's, that of the filter (which stands still while it is stored and nobody knows for how long), and the
  // process's, whose origin changes. The caller's can step back.
  let worldMs = 0;
  let filterMs = 0;
  let originMs = 1000;
  let backMs = 0;
  let filter = new RotatingFilter({
    initialCapacity: 3,
    maxCapacity: MAX_CAPACITY,
    errorRate: 1e-12,
    key: countingKey,
    rotationMs,
    nowMs: originMs,
  });
  const model = new Model();
  const acceptedAt = new Map<number, { world: number; filter: number }>();
  const forward = (ms: number): void => {
    backMs = ms < 0 ? -ms : 0;
    worldMs += Math.max(0, ms);
    filterMs += Math.max(0, ms);
    model.advance(filterMs, rotationMs);
  };
  const nowMs = (): number => originMs + filterMs - backMs;

  for (const taken of steps) {
    if (taken.type === "restart") {
      backMs = 0;
      const image = filter.save(nowMs());
      const elapsedMs = taken.known * taken.stoppedMs;
      worldMs += taken.stoppedMs;
      filterMs += elapsedMs;
      originMs = taken.originMs;
      model.advance(filterMs, rotationMs);
      filter = RotatingFilter.restore(image, { key: countingKey, nowMs: nowMs(), elapsedMs });
    } else {
      forward(taken.forwardMs);
      if (taken.type === "advance") filter.advance(nowMs());
      else {
        const isAccepted = filter.add(item(1, taken.index), nowMs());
        expect(isAccepted).toBe(model.add(taken.index));
        if (isAccepted) acceptedAt.set(taken.index, { world: worldMs, filter: filterMs });
      }
    }
    for (let index = 0; index < ITEMS; index += 1) {
      expect(filter.has(item(1, index))).toBe(model.has(index));
      const at = acceptedAt.get(index);
      if (at === undefined) continue;
      // The promise, on the clock that is the worst for it each time.
      if (worldMs - at.world <= rotationMs) expect(filter.has(item(1, index))).toBe(true);
      if (filterMs - at.filter >= 2 * rotationMs) expect(filter.has(item(1, index))).toBe(false);
    }
    expect(filter.count).toBe(model.current.size + model.previous.size);
    expect(filter.nextRotationMs).toBeGreaterThan(nowMs());
  }
}

test("agrees with exact sets, never forgets what it accepted within rotationMs, and keeps nothing for two of them", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 150 }), run), { numRuns: 300 });
});
