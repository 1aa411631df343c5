import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { decodeAck, encodeAck } from "@starling/wire-protocol";
import fc from "fast-check";
import { DeadlineTable } from "../src/deadline-table.ts";
import { Fifo } from "../src/fifo.ts";
import { fromWireNumber, toWireNumber } from "../src/frame-number.ts";
import { HelloLimiter, LoadMeter } from "../src/limiter.ts";
import { DEFAULT_LIMITS, REPLAY_WINDOW } from "../src/limits.ts";
import { Reassembly, ReassemblyBudget } from "../src/reassembly.ts";
import { ReceiveWindow } from "../src/receive-window.ts";
import { ReplayWindow } from "../src/replay-window.ts";
import { addressBlocks } from "../src/source-address.ts";

describe("replay window", () => {
  /** As many counters below the highest one are remembered. */
  const reach = REPLAY_WINDOW - 1;

  test("agrees with a set that remembers everything", () => {
    const step = fc.oneof(fc.integer({ min: -9_000, max: 40 }), fc.integer({ min: 0, max: 20_000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = 0;
        for (const offset of steps) {
          const counter = Math.max(0, highest + offset);
          const expected = !seen.has(counter) && counter >= highest - reach;
          expect(window.accept(counter)).toBe(expected);
          seen.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test("holds exactly 8192 counters", () => {
    const window = new ReplayWindow();
    expect(window.accept(8_192)).toBe(true);
    expect(window.accept(1)).toBe(true);
    expect(window.accept(0)).toBe(false);
    expect([window.isNewest(8_192), window.isNewest(8_193)]).toEqual([false, true]);
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

describe("numbers of frames", () => {
  test("go through the wire's 32 bits and back", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 50), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), (near, offset) => {
        const number = Math.max(0, near + offset);
        expect(fromWireNumber(toWireNumber(number), near)).toBe(number);
      }),
      { seed: 2 },
    );
  });

  test("the receive window takes each once, in any order, and its Ack says which", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700), { maxLength: 300 }), (numbers) => {
        const window = new ReceiveWindow();
        const seen = new Set<number>();
        for (const number of numbers) {
          expect(window.verdict(number)).toBe(seen.has(number) ? "repeated" : "new");
          if (!seen.has(number)) window.take(number);
          seen.add(number);
        }
        const ack = decodeAck(encodeAck(window.ack()));
        if (!ack.ok) throw new Error(ack.reason);
        const { lowest, bitmap } = ack.value;
        expect(seen.has(lowest)).toBe(false);
        for (let number = 0; number < lowest; number += 1) expect(seen.has(number)).toBe(true);
        for (let bit = 0; bit < 512; bit += 1) {
          expect(((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0).toBe(seen.has(lowest + 1 + bit));
        }
      }),
      { seed: 3, numRuns: 50 },
    );
  });

  test("an Ack is due 5 ms after a frame, at once after the eighth", () => {
    const window = new ReceiveWindow();
    expect(window.ackDueMono).toBe(Number.POSITIVE_INFINITY);
    for (let count = 1; count < 8; count += 1) window.oweAck(100 + count / 10);
    expect(window.ackDueMono).toBeCloseTo(105.1);
    window.oweAck(102);
    expect(window.ackDueMono).toBe(102);
    window.ackSent();
    expect(window.ackDueMono).toBe(Number.POSITIVE_INFINITY);
  });
});

test("half a frame expires at the very time that its deadline names, whatever the fractions", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (startMono) => {
      const reassembly = new Reassembly(new ReassemblyBudget(1_000_000));
      expect(reassembly.offer(0, Uint8Array.of(0, 2, 7), startMono).type).toBe("held");
      expect(reassembly.expire(startMono + 9_999)).toBe(0);
      expect(reassembly.expire(reassembly.nextDeadlineMono())).toBe(1);
    }),
    { seed: 5, numRuns: 1_000 },
  );
});

describe("tables", () => {
  test("deadlines come up in order, each with its last time", () => {
    const move = fc.record({ key: fc.nat(20), at: fc.option(fc.nat(1_000), { nil: null }) });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 400 }), (moves) => {
        const table = new DeadlineTable<number>();
        const model = new Map<number, number>();
        for (const { key, at } of moves) {
          table.set(key, at);
          if (at === null) model.delete(key);
          else model.set(key, at);
          expect(table.next()).toBe(model.size === 0 ? null : Math.min(...model.values()));
        }
        const due = table.takeDue(500);
        const expected = [...model].filter(([, at]) => at <= 500).sort((x, y) => x[1] - y[1]);
        expect(due.map((key) => model.get(key))).toEqual(expected.map(([, at]) => at));
        expect(new Set(due)).toEqual(new Set(expected.map(([key]) => key)));
      }),
      { seed: 4 },
    );
  });

  test("a Fifo keeps its order through many turns", () => {
    const fifo = new Fifo<number>();
    const out: (number | undefined)[] = [];
    for (let item = 0; item < 500; item += 1) {
      fifo.push(item);
      if (item % 3 > 0) out.push(fifo.shift());
    }
    const rest = [...fifo];
    fifo.prepend([-2, -1]);
    expect([fifo.peek(), fifo.size]).toEqual([-2, rest.length + 2]);
    expect([...out, ...rest]).toEqual([...Array(500).keys()]);
    while (fifo.size > 0) fifo.shift();
    expect([fifo.shift(), fifo.size]).toEqual([undefined, 0]);
  });

  test.each([
    ["198.51.100.7", "198.51.100.7", "198.51.100.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2/64", "2001:db8:1/48"],
    ["2001:db8::1", "2001:db8:0:0/64", "2001:db8:0/48"],
    ["::1", "0:0:0:0/64", "0:0:0/48"],
    ["fe80::", "fe80:0:0:0/64", "fe80:0:0/48"],
  ])("%s counts as host %s and block %s", (ip, host, block) => {
    expect(addressBlocks(ip)).toEqual({ host, block });
  });

  test("Hellos are limited by host and by block, and come back with time", () => {
    const limiter = new HelloLimiter({ ...DEFAULT_LIMITS, hellosPerSecondIp: 2, hellosPerSecondBlock: 3 });
    const take = (ip: string, atMono: number) => limiter.take({ ip, port: 1 }, atMono);
    expect([1, 2, 3, 4, 5].map(() => take("198.51.100.1", 0))).toEqual([true, true, true, true, false]);
    expect([1, 2, 3].map(() => take("198.51.100.2", 0))).toEqual([true, true, false]);
    expect(take("198.51.101.2", 0)).toBe(true);
    expect(take("198.51.100.2", 400)).toBe(true);
    expect(Array.from({ length: 100 }, () => take("127.0.0.1", 0)).every(Boolean)).toBe(true);
  });

  test("the limiter's table is bounded: a newcomer gets no bucket until one is full again", () => {
    const limiter = new HelloLimiter({ ...DEFAULT_LIMITS, buckets: 10 });
    const take = (index: number, atMono: number) => limiter.take({ ip: `198.51.${index}.1`, port: 1 }, atMono);
    expect(Array.from({ length: 50 }, (_, index) => take(index, 0)).filter(Boolean)).toHaveLength(5);
    expect(limiter.size).toBe(10);
    expect(take(60, 2_000)).toBe(true);
    expect(limiter.size).toBeLessThanOrEqual(10);
  });

  test("load is what reached the DH within the last second", () => {
    const load = new LoadMeter(3);
    for (const atMono of [0, 100, 200]) {
      expect(load.isLoaded(atMono)).toBe(false);
      load.note(atMono);
    }
    expect([300, 999, 1_000].map((atMono) => load.isLoaded(atMono))).toEqual([true, true, false]);
  });
});
