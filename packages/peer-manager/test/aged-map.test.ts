import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { AgedMap } from "../src/aged-map.ts";

const steps = fc.array(
  fc.record({
    does: fc.constantFrom("set", "delete", "renew"),
    key: fc.integer({ min: 0, max: 7 }),
    most: fc.integer({ min: 1, max: 6 }),
  }),
  { maxLength: 60 },
);

describe("AgedMap", () => {
  test("whatever is done: it holds what a Map holds that is walked from its front", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const aged = new AgedMap<number, number>();
        const model = new Map<number, number>();
        all.forEach((step, at) => {
          if (step.does === "delete") {
            expect(aged.delete(step.key)).toBe(model.delete(step.key));
          } else if (step.does === "set") {
            aged.set(step.key, at);
            model.set(step.key, at);
          } else {
            aged.renew(step.key, at, step.most);
            model.delete(step.key);
            model.set(step.key, at);
            const [oldest] = model.keys();
            if (model.size > step.most && oldest !== undefined) model.delete(oldest);
          }
          const [front] = model;
          const oldest = aged.oldest();
          expect(oldest && [oldest.key, oldest.value]).toEqual(front);
          expect(aged.size).toBe(model.size);
          expect([...aged.newestFirst()]).toEqual([...model.values()].reverse());
          for (let k = 0; k <= 7; k += 1) expect(aged.get(k)).toBe(model.get(k));
        });
        // And in the whole order, by taking one after the other.
        for (const [front] of [...model]) {
          expect(aged.oldest()?.key).toBe(front);
          aged.delete(front);
        }
        expect(aged.oldest()).toBeUndefined();
      }),
    );
  });
});
