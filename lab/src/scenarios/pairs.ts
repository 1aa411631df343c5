// Whole nodes behind every pair of routers, against theory: each pair in a laboratory of its own, with daemons of its own, which talk
// by the relay first and over a channel as soon as there is one. An application sends both ways all the while.
import { LocalClientError } from "@starling/local-client";
import { pass, within } from "../deadline.ts";
import type { NatOptions, NatType } from "../net/nat.ts";
import { type Node, withNodes } from "../nodes.ts";
import { isFlawless, Stream, type StreamReport, streamLine } from "../stream.ts";
import { startRelay } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";
import { isDirectInTheory, NAT_TYPES } from "./punching.ts";

const PER_SECOND = 20;
const AFTER_MS = 1_000;
const STEP_MS = 45_000;
const ROUNDS_LONG = 20;
const FIRST_MS = 3_000;
/** A first byte that is late is tried again: a neighbour's noise passes, a fault does not. All the rest counts always. */
const TRIES = 3;
/** Each has four processes; two cores do not serve more of them in their time. */
const AT_ONCE = 2;

type Pair = readonly [NatType, NatType];

/** How long it took, or why none can be had. */
async function openChannel(a: Node, b: Node): Promise<number | string> {
  const startedMs = performance.now();
  try {
    await within(STEP_MS, "an answer to connectPeer", a.client.connectPeer(b.id));
    return performance.now() - startedMs;
  } catch (error) {
    if (error instanceof LocalClientError && error.code === "E_NO_CHANNEL") return error.message;
    throw error;
  }
}

function judge(trial: Trial, name: string, isDirect: boolean, opened: number | string, ways: StreamReport[]): void {
  const way = typeof opened === "string" ? `by relay: ${opened}` : `a channel after ${Math.round(opened)} ms`;
  trial.check(`${name}: ${isDirect ? "direct" : "by relay"}`, (typeof opened === "number") === isDirect, way);
  const firstMs = Math.max(...ways.map((report) => report.firstMs));
  trial.measure(`${name}: first byte`, firstMs, { atMost: FIRST_MS, unit: "ms" });
  const told = ways.map(streamLine).join(" | ");
  trial.check(`${name}: each message once, in order`, ways.every(isFlawless), told);
  const isUsed = ways.every(({ paths }) => (paths.channel ?? 0) > 0);
  trial.check(`${name}: messages went ${isDirect ? "over the channel" : "on by relay"}`, isUsed === isDirect);
}

function isLate(ways: readonly StreamReport[]): boolean {
  return ways.every(isFlawless) && ways.some(({ firstMs }) => firstMs > FIRST_MS);
}

export async function tryPair(
  trial: Trial,
  [typeA, typeB]: Pair,
  name: string,
  nat: Partial<NatOptions> = {},
  tries = 1,
): Promise<void> {
  let isOnceMore = false;
  const lab = await trial.lab();
  try {
    const relay = await startRelay(await lab.host("relay"));
    const hosts = [
      (await lab.site("router-a", typeA, ["a"], nat)).host("a"),
      (await lab.site("router-b", typeB, ["b"], nat)).host("b"),
    ];
    await withNodes(hosts, [relay], async ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error("two nodes are needed");
      const streams = [
        await Stream.start(a, b, { perSecond: PER_SECOND }),
        await Stream.start(b, a, { perSecond: PER_SECOND }),
      ];
      await Promise.all(streams.map((stream) => stream.arrived(1, STEP_MS)));
      const opened = await openChannel(a, b);
      await pass(AFTER_MS);
      const ways = await Promise.all(streams.map((stream) => stream.stop()));
      const isDirect = isDirectInTheory(typeA, typeB);
      isOnceMore = tries < TRIES && isDirect === (typeof opened === "number") && isLate(ways);
      if (!isOnceMore) judge(trial, name, isDirect, opened, ways);
    });
  } finally {
    await lab.close();
  }
  if (isOnceMore) await tryPair(trial, [typeA, typeB], name, nat, tries + 1);
}

export const pairs: Scenario = {
  name: "pairs",
  shows:
    "nodes behind the 15 pairs of routers: 13 by channel, 2 by relay, and no message lost, doubled or out of order",
  deadlineS: 600,
  longDeadlineS: 7_200,
  async run(trial) {
    const all: Pair[] = NAT_TYPES.flatMap((a, i) => NAT_TYPES.slice(i).map((b): Pair => [a, b]));
    const rounds = trial.isLong ? ROUNDS_LONG : 1;
    const left = Array.from({ length: rounds }, (_, round) =>
      all.map((pair) => ({ pair, name: `${pair.join("-")}${rounds > 1 ? ` (${round + 1})` : ""}` })),
    ).flat();
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { pair, name } = next;
        await tryPair(trial, pair, name).catch((error: unknown) => {
          trial.check(name, false, error instanceof Error ? error.message : String(error));
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  },
};
