import { expect, test } from "@jest/globals";
import { nodeIdFromBytes } from "@starling/crypto-identity";
import { type Datagram, DatagramQueue } from "../src/datagram-queue.ts";

const FROM = { ip: "10.0.0.1", port: 4100 };
const peer = (at: number) => nodeIdFromBytes(new Uint8Array(32).fill(at + 1));

/** A first byte of 0 is a stranger's, the others name a link; the second one counts. */
function scene() {
  const callbacks: (() => void)[] = [];
  const batches: Datagram[][] = [];
  const queue = new DatagramQueue({
    peerOf: ([link = 0]) => (link === 0 ? undefined : peer(link)),
    handle: (batch) => batches.push([...batch]),
    soon: (callback) => callbacks.push(callback),
  });
  const push = (link: number, count: number): void => {
    for (let at = 0; at < count; at += 1) queue.push(Uint8Array.of(link, at), FROM);
  };
  const turn = (): string[] => {
    for (const callback of callbacks.splice(0)) callback();
    return (batches.pop() ?? []).map(({ bytes }) => `${bytes[0]}.${bytes[1]}`);
  };
  return { queue, push, turn };
}

test("what a turn brings is one batch, each link's in the order in which it came", () => {
  const { push, turn } = scene();
  push(1, 2);
  push(2, 1);
  push(0, 1);
  expect(turn()).toEqual(["1.0", "2.0", "0.0", "1.1"]);
  expect(turn()).toEqual([]);
});

test("a link that sends without end delays the others by a turn, and only its own are dropped", () => {
  const { queue, push, turn } = scene();
  push(1, 1_000);
  push(2, 3);
  push(0, 1_000);
  expect(queue.waitingCount).toBe(256 + 3 + 256);
  expect(queue.droppedCount).toBe(2_000 - 512);
  expect(turn().filter((name) => name.startsWith("2."))).toEqual(["2.0", "2.1", "2.2"]);
  push(3, 1);
  expect(turn()).toContain("3.0");
});

test("where all rows together are too long the longest gives way", () => {
  const { queue, push } = scene();
  for (let link = 1; link <= 40; link += 1) push(link, 100);
  push(41, 200);
  expect(queue.waitingCount).toBe(4_096);
  expect(queue.droppedCount).toBe(40 * 100 + 200 - 4_096);
  push(42, 1);
  expect(queue.waitingCount).toBe(4_096);
});

test("the longest give way to each other, and the others to none, also once turns have shortened them", () => {
  const { queue, push, turn } = scene();
  push(1, 256);
  push(2, 256);
  for (let link = 3; link <= 37; link += 1) push(link, 100);
  // One of each of the first sixteen.
  turn();
  push(38, 138);
  const counts = new Map<string, number>();
  while (queue.waitingCount > 0) {
    for (const name of turn()) {
      const [link = ""] = name.split(".");
      counts.set(link, (counts.get(link) ?? 0) + 1);
    }
  }
  const all = Array.from({ length: 38 }, (_, at) => counts.get(String(at + 1)));
  expect(queue.droppedCount).toBe(2 * 256 + 35 * 100 - 16 + 138 - 4_096);
  expect(all).toEqual([...[236, 236], ...Array(14).fill(99), ...Array(21).fill(100), 138]);
});

test("what waits is handed over turn by turn until nothing is left", () => {
  const { queue, push, turn } = scene();
  push(1, 40);
  const sizes = [turn(), turn(), turn(), turn()].map(({ length }) => length);
  expect(sizes).toEqual([16, 16, 8, 0]);
  expect(queue.waitingCount).toBe(0);
});

test("when turn after turn brings all that can be read, less is opened until one brings less", () => {
  const { push, turn } = scene();
  const sizes: number[] = [];
  for (const arriving of [32, 32, 32, 32, 32, 32, 31, 32]) {
    push(1, arriving);
    sizes.push(turn().length);
  }
  expect(sizes).toEqual([16, 16, 16, 4, 4, 4, 16, 16]);
});
