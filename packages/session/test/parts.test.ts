import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import { decodeAck, encodeAck } from "@starling/wire-protocol";
import fc from "fast-check";
import { DeadlineTable } from "../src/deadline-table.ts";
import { Fifo } from "../src/fifo.ts";
import { fromWireNumber, toWireNumber } from "../src/frame-number.ts";
import { HelloLimiter, LoadMeter } from "../src/limiter.ts";
import { DEFAULT_LIMITS } from "../src/limits.ts";
import { Reassembly, ReassemblyBudget } from "../src/reassembly.ts";
import { ReceiveWindow } from "../src/receive-window.ts";
import { addressBlocks } from "../src/source-address.ts";

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

  test("a Fifo does not hold what has left it", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const fifo = new Fifo<object>();
    // In a function of its own, so that nothing on the stack holds what it makes.
    const passed = (() => {
      const item = {};
      fifo.push(item);
      fifo.shift();
      return new WeakRef(item);
    })();
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collect();
      expect([fifo.size, passed.deref()]).toEqual([0, undefined]);
    });
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
