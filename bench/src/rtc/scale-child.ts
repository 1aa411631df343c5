// Channels in a process of their own, whose heap, sockets and timers are nobody else's. Does what it is told and says what it saw.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { HubEnd, LABEL, openHubs } from "./hubs.ts";
import { openRaw } from "./raw.ts";

const IN_FLIGHT = 8;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  for (let i = 0; i < 3; i += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 200));

/** Runs `count` of them, so many at a time. */
async function each(count: number, run: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < count) {
        const i = next;
        next += 1;
        await run(i);
      }
    }),
  );
}

/** Bytes a pair of ends that stays open. */
async function held(count: number, isRaw: boolean): Promise<number> {
  const [a, b] = [new HubEnd(), new HubEnd()];
  const open: (() => Promise<void>)[] = [];
  const make = async (name: string): Promise<void> => {
    if (isRaw) open.push((await openRaw()).close);
    else await openHubs(a, b, name);
  };
  // What is loaded and made once.
  await each(IN_FLIGHT, (i) => make(`warm ${i}`));
  await settled();
  const before = heapBytes();
  await each(count, (i) => make(`c${i}`));
  await settled();
  const grown = heapBytes() - before;
  await Promise.all([a.hub.shutdown(), b.hub.shutdown(), ...open.map((close) => close())]);
  return grown / count;
}

/** The heap after each hundredth cycle of open and close. */
async function cycles(count: number): Promise<number[]> {
  const heaps: number[] = [];
  const [a, b] = [new HubEnd(), new HubEnd()];
  for (let done = 0; done < count; done += 100) {
    await each(100, async (i) => {
      const name = `${done} ${i}`;
      await openHubs(a, b, name);
      const closed = Promise.all([a.closed(name), b.closed(name)]);
      a.hub.close(name);
      await closed;
      a.closedAs.clear();
      b.closedAs.clear();
    });
    await settled();
    heaps.push(heapBytes());
  }
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  return heaps;
}

type Aborted = {
  readonly slowestMs: number;
  readonly sockets: number;
  readonly timers: number;
  readonly stages: string[];
};

/**
 * Channels begun one after the other, cancelled (a third of them closed) 0 to 295 ms later, at both ends in turn; every tenth has no
 * answer to its offer, every sixth is open by then. What is left 1 and 2 s after the last.
 */
async function aborts(count: number): Promise<Aborted> {
  const [a, b] = [new HubEnd({ maxDials: count }), new HubEnd({ maxDials: count })];
  await Promise.all([a.hub.warmUp(), b.hub.warmUp()]);
  const stages = new Set<string>();
  let slowestMs = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const name = `c${i}`;
      await new Promise((resolve) => setTimeout(resolve, i * 20));
      const isUnanswered = i % 10 === 9;
      if (isUnanswered) {
        a.live.set(name, "gathering");
        a.hub.offer(name, LABEL);
      } else if (i % 6 === 1) await openHubs(a, b, name);
      else void openHubs(a, b, name);
      if (i % 20 > 1) await new Promise((resolve) => setTimeout(resolve, (i % 60) * 5));
      const end = i % 2 === 0 || isUnanswered ? a : b;
      const stage = end.live.get(name);
      if (stage === undefined) return;
      stages.add(stage === "described" ? (isUnanswered ? "signalling" : "connecting") : stage);
      const started = performance.now();
      const all = Promise.all([end.closed(name), end.hub.room(name)]);
      (i % 3 === 0 ? end.hub.close : end.hub.cancel)(name);
      await all;
      slowestMs = Math.max(slowestMs, performance.now() - started);
    }),
  );
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  const left = (kind: string) => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  // The timers of these two pauses are their own.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const sockets = left("UDPWrap");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return { slowestMs, sockets, timers: left("Timeout"), stages: [...stages].sort() };
}

process.on("message", async ({ task, count }: { task: string; count: number }) => {
  if (task === "aborts") process.send?.(await aborts(count));
  else if (task === "cycles") process.send?.(await cycles(count));
  else process.send?.(await held(count, task === "raw"));
});
process.on("disconnect", () => process.exit());
