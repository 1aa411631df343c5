// Whole nodes with a channel between them: a router that forgets its mappings in the middle of a transfer, and routers that forget
// those that are idle for half a minute.
import { pass, within } from "../deadline.ts";
import type { NatType } from "../net/nat.ts";
import { type Node, withNodes } from "../nodes.ts";
import { isFlawless, Stream, streamLine } from "../stream.ts";
import { startRelay } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const COUNT = 1_000;
const PER_SECOND = 50;
const REBOOT_AFTER_MS = 5_000;
const STEP_MS = 45_000;
const TRANSFER_MS = 150_000;
const PAUSE_S = 10;
/** A pause that is too long is tried again: a neighbour's noise passes, a fault does not. What is lost or out of order counts always. */
const ROUNDS = 3;
// Above the time between two pings, as in `roaming`.
const SHORT = { timeoutS: 12, idleS: 30 };
const LONG = { timeoutS: 30, idleS: 600 };

async function reboot(trial: Trial, typeA: NatType, typeB: NatType, round = 1): Promise<void> {
  const lab = await trial.lab();
  const relay = await startRelay(await lab.host("relay"));
  const siteA = await lab.site("router-a", typeA, ["a"]);
  const siteB = await lab.site("router-b", typeB, ["b"]);
  const name = `${typeA}-${typeB}, the first reboots`;
  let isOnceMore = false;
  await withNodes([siteA.host("a"), siteB.host("b")], [relay], async ([a, b]) => {
    if (a === undefined || b === undefined) throw new Error("two nodes are needed");
    await within(STEP_MS, "a channel", a.client.connectPeer(b.id));
    const options = { perSecond: PER_SECOND, count: COUNT };
    const streams = [await Stream.start(a, b, options), await Stream.start(b, a, options)] as const;
    await pass(REBOOT_AFTER_MS);
    await siteA.reboot();
    const sent = Promise.all(streams.map((stream) => stream.finished()));
    await within(TRANSFER_MS, `${name}: the transfer`, sent);
    const reports = streams.map((stream) => stream.report());
    if (
      round < ROUNDS &&
      reports.every(isFlawless) &&
      reports.some((report) => report.longestGapMs > PAUSE_S * 1_000)
    ) {
      isOnceMore = true;
      return;
    }
    for (const [i, way] of ["outwards", "inwards"].entries()) {
      const report = reports[i];
      if (report === undefined) continue;
      trial.check(`${name}: ${way}, ${COUNT} once and in order`, isFlawless(report), streamLine(report));
      const limits = { atMost: PAUSE_S, unit: "s", detail: `round ${round}` };
      trial.measure(`${name}: ${way}, longest pause`, report.longestGapMs / 1_000, limits);
    }
  });
  await lab.close();
  if (isOnceMore) await reboot(trial, typeA, typeB, round + 1);
}

async function sessionsClosed(node: Node): Promise<{ readonly count: number }> {
  const found = { count: 0 };
  const links = await node.client.subscribe({ events: ["link"] });
  void (async () => {
    for await (const { link, change } of links) if (link === "session" && change === "closed") found.count += 1;
  })().catch(() => undefined);
  return found;
}

async function idle(trial: Trial): Promise<void> {
  const lab = await trial.lab();
  const { timeoutS, idleS } = trial.isLong ? LONG : SHORT;
  const relay = await startRelay(await lab.host("relay"));
  const siteA = await lab.site("router-a", "port", ["a"], { timeoutS });
  const siteB = await lab.site("router-b", "port", ["b"], { timeoutS });
  await withNodes([siteA.host("a"), siteB.host("b")], [relay], async ([a, b]) => {
    if (a === undefined || b === undefined) throw new Error("two nodes are needed");
    await within(STEP_MS, "a channel", a.client.connectPeer(b.id));
    const closed = [await sessionsClosed(a), await sessionsClosed(b)];
    await pass(idleS * 1_000);
    const name = `idle for ${idleS} s behind mappings of ${timeoutS} s`;
    for (const via of ["any", "relay"] as const) {
      const stream = await Stream.start(a, b, { perSecond: 1, count: 1, via });
      await stream.finished();
      const report = stream.report();
      const detail = streamLine(report);
      trial.measure(`${name}: a message (${via}) takes`, report.firstMs, { atMost: 3_000, unit: "ms", detail });
    }
    trial.measure(
      `${name}: sessions closed`,
      closed.reduce((sum, { count }) => sum + count, 0),
      { atMost: 0 },
    );
  });
}

export const restlessRouters: Scenario = {
  name: "restless-routers",
  shows:
    "nodes with a channel outlive a router's reboot in mid-transfer, nothing lost or out of order, and idle behind short mappings",
  deadlineS: 900,
  longDeadlineS: 1_800,
  async run(trial) {
    await reboot(trial, "port", "port");
    await reboot(trial, "sym", "addr");
    await idle(trial);
  },
};
