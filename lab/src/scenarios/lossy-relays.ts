// Sealed messages that only relays carry, over wires that lose a tenth each way.
import type { Wire } from "../net/wire.ts";
import { withNodes } from "../nodes.ts";
import { isFlawless, Stream, streamLine } from "../stream.ts";
import { startRelay, type Target } from "../targets.ts";
import type { Scenario } from "../trial.ts";

const COUNT = 2_000;
const PER_SECOND = 100;
const RELAYS = 3;
const TIMEOUT_MS = 120_000;

export const lossyRelays: Scenario = {
  name: "lossy-relays",
  shows: "2,000 sealed messages over three relays whose wires lose 10 % each way arrive once each, and in order",
  deadlineS: 420,
  async run(trial) {
    const lab = await trial.lab();
    const relays: Target[] = [];
    const wires: Wire[] = [];
    for (let number = 1; number <= RELAYS; number += 1) {
      const settings = { loss: 0.1, delay: 5, seed: trial.seed + number };
      const { host, wire } = await lab.wiredHost(`relay${number}`, settings);
      wires.push(wire);
      relays.push(await startRelay(host));
    }
    // Routers that differ for each peer on both sides: no way but by the relays.
    const sites = [await lab.site("router-a", "sym", ["a"]), await lab.site("router-b", "sym", ["b"])];
    const hosts = sites.map((site, i) => site.host(i === 0 ? "a" : "b"));
    await withNodes(hosts, relays, async ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error("two nodes are needed");
      const startedMs = performance.now();
      const stream = await Stream.start(a, b, {
        perSecond: PER_SECOND,
        count: COUNT,
        via: "relay",
        timeoutMs: TIMEOUT_MS,
      });
      await stream.finished();
      const report = stream.report();
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      trial.check(
        `${COUNT} messages, each once and in order`,
        isFlawless(report),
        `${streamLine(report)}; ${seconds} s`,
      );
      const counted = await Promise.all(wires.map((wire) => wire.counters()));
      const used = counted.filter(({ in: { lost }, out }) => lost > 0 && out.lost > 0).length;
      trial.measure("relays whose wires lost something each way", used, { atLeast: RELAYS });
    });
  },
};
