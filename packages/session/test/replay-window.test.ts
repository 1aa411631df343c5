import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { REPLAY_WINDOW } from "../src/limits.ts";
import { ReplayWindow } from "../src/replay-window.ts";

describe("replay window", () => {
  /** As many counters below the highest one are remembered. */
  const reach = REPLAY_WINDOW - 1;

  /** What a set that remembers everything says, beside the window. */
  function compare(offsets: readonly number[]): void {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = 0;
    for (const offset of offsets) {
      const counter = Math.max(0, highest + offset);
      const isNewest = seen.size === 0 || counter > highest;
      const expected = !seen.has(counter) && counter >= highest - reach;
      if (window.isNewest(counter) !== isNewest || window.accept(counter) !== expected)
        throw new Error(`wrong at ${counter}, the highest being ${highest}`);
      seen.add(counter);
      highest = Math.max(highest, counter);
    }
  }

  // However far a jump goes, whatever turn of the ring it ends in, nothing of an earlier turn is taken for a repeat.
  test.each([1, 31, 32, 33, 255, 256, 257, 8_160, 8_191, 8_192, 8_193, 8_223, 8_224, 8_225, 16_448, 100_000])(
    "after 600 in a row, a jump by %i and a row back to the end of the window",
    (jump) => {
      const row = Array.from({ length: 600 }, (_, index) => Math.min(index, 1));
      // Each is asked for downwards, twice, from the highest; compare() takes offsets from it.
      const back = Array.from({ length: reach + 3 }, (_, index) => [-index, -index]).flat();
      expect(() => compare([...row, jump, ...back])).not.toThrow();
    },
  );

  // Every word of the ring is entered by a single step, over the bits of two earlier turns.
  test.each([1, 7, 31, 32, 33, 63, 100])("over three turns in steps of %i", (step) => {
    const steps = Array.from({ length: Math.ceil(25_000 / step) }, () => step);
    const back = Array.from({ length: reach + 3 }, (_, index) => -index);
    expect(() => compare([...steps, ...back])).not.toThrow();
  });

  test("holds exactly 8192 counters", () => {
    const window = new ReplayWindow();
    expect(window.accept(8_192)).toBe(true);
    expect(window.accept(1)).toBe(true);
    expect(window.accept(0)).toBe(false);
    expect([window.isNewest(8_192), window.isNewest(8_193)]).toEqual([false, true]);
  });

  test("agrees with a set that remembers everything", () => {
    const step = fc.oneof(
      fc.integer({ min: -9_000, max: 40 }),
      fc.integer({ min: -260, max: 300 }),
      fc.integer({ min: 0, max: 20_000 }),
    );
    const steps = fc.array(step, { maxLength: 400, size: "max" });
    const property = fc.property(steps, (offsets) => expect(() => compare(offsets)).not.toThrow());
    expect(fc.check(property, { seed: 1, numRuns: 100 }).failed).toBe(false);
  });

  const folder = process.env.STARLING_VECTORS;
  const skipReason = "STARLING_VECTORS names no folder of third-party vectors";
  (folder === undefined ? test.skip : test)(
    `WireGuard's list (${folder === undefined ? skipReason : "third-party"})`,
    () => {
      const path = join(folder ?? "", "wireguard_replay_window.json");
      if (!existsSync(path)) throw new Error(`STARLING_VECTORS is set, but ${path} is missing`);
      const { ops, bulk } = JSON.parse(readFileSync(path, "utf8")) as { ops: [string, boolean][]; bulk: string[] };
      if (ops.length === 0 || bulk.length === 0) throw new Error(`${path} is empty`);
      // Our counters end below 2^53, where the datagram codec refuses them; WireGuard's end below 2^64 in the same manner.
      const rejectAfter = 2 ** 53 - 2 ** 13 - 1;
      const names: Record<string, number> = { T_LIM: reach + 1, RejectAfterMessages: rejectAfter };
      const window = new ReplayWindow();
      const accept = (counter: number) => counter < rejectAfter && window.accept(counter);
      for (const [expression, accepted] of ops)
        expect([expression, accept(evaluate(expression, names))]).toEqual([expression, accepted]);
      for (const line of bulk) runBulk(line, reach);
      process.stdout.write(`wireguard_replay_window.json: ${ops.length} operations, ${bulk.length} bulk runs\n`);
    },
  );
});

/** Sums and products of numbers and names, with one level of brackets. */
function evaluate(expression: string, names: Record<string, number>): number {
  const inner = expression.replace(/\(([^()]*)\)/g, (_match, inside: string) => String(evaluate(inside, names)));
  return inner.split(/(?=[+-])/).reduce((sum, term) => {
    const factors = term.replace(/^[+-]/, "").split("*");
    const product = factors.reduce((value, factor) => value * (names[factor] ?? Number(factor)), 1);
    if (Number.isNaN(product)) throw new Error(`cannot read '${expression}'`);
    return sum + (term.startsWith("-") ? -product : product);
  }, 0);
}

/** Lines such as "fresh: W+2 down to 2 all accepted, 0 rejected" or "fresh: 1..W accepted, then 0 accepted". */
function runBulk(line: string, reach: number): void {
  const window = new ReplayWindow();
  const value = (text: string) => evaluate(text, { W: reach });
  let ran = 0;
  for (const part of line.replace("fresh: ", "").split(/, (?:then )?/)) {
    const range = /^(\S+?)\.\.(\S+) |^(\S+) down to (\S+) /.exec(part);
    const from = range?.[1] ?? range?.[3] ?? part.split(" ")[0];
    const to = range?.[2] ?? range?.[4] ?? from;
    if (from === undefined || to === undefined) throw new Error(`cannot read '${line}'`);
    const step = value(to) < value(from) ? -1 : 1;
    for (let counter = value(from); counter !== value(to) + step; counter += step) {
      if (window.accept(counter) !== part.endsWith("accepted")) throw new Error(`${line}: wrong at ${counter}`);
    }
    ran += 1;
  }
  expect(ran).toBeGreaterThan(0);
}
