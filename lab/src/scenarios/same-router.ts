// Two nodes behind one router that does not send back in what a host sends to its public address: they have to find each other by the
// addresses that they have behind it.
import { within } from "../deadline.ts";
import { Meter } from "../net/meter.ts";
import { withNodes } from "../nodes.ts";
import { isFlawless, Stream, streamLine } from "../stream.ts";
import { startRelay } from "../targets.ts";
import type { Scenario } from "../trial.ts";

const STEP_MS = 45_000;

export const sameRouter: Scenario = {
  name: "same-router",
  shows: "two nodes behind the same router open a channel by their addresses behind it",
  deadlineS: 180,
  async run(trial) {
    const lab = await trial.lab();
    const relay = await startRelay(await lab.host("relay"));
    const site = await lab.site("router", "port", ["a", "b"]);
    await withNodes([site.host("a"), site.host("b")], [relay], async ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error("two nodes are needed");
      const meter = await Meter.at(a.host, b.host.ip);
      const startedMs = performance.now();
      await within(STEP_MS, "a channel", a.client.connectPeer(b.id));
      trial.measure("the channel opens in", performance.now() - startedMs, { atMost: 5_000, unit: "ms" });
      const stream = await Stream.start(b, a, { perSecond: 50, count: 50, via: "channel" });
      await stream.finished();
      const report = stream.report();
      trial.check("50 messages over it, each once and in order", isFlawless(report), streamLine(report));
      const { inPackets } = await meter.read();
      trial.measure("datagrams from the other's own address", inPackets, { atLeast: 10 });
    });
  },
};
