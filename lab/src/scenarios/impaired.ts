// Reliable frames over one session, on a wire that is worse than any that people have.
import { sendFlow } from "../flow.ts";
import type { WireSettings } from "../net/wire.ts";
import { NETWORK, startUdpNode } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const COUNT = 10_000;

type Case = {
  readonly name: string;
  readonly wire: WireSettings;
  readonly atMostS: number;
  readonly atMostSends: number;
};

const LOSS: Case = {
  name: "20 % loss each way, 50±20 ms, 5 % twice",
  wire: { loss: 0.2, delay: 50, jitter: 20, dup: 0.05 },
  atMostS: 45,
  atMostSends: 2,
};
const BURSTS: Case = {
  name: "bursts of loss .01/.15, 50±10 ms",
  wire: { burst: 0.01, burstend: 0.15, delay: 50, jitter: 10 },
  atMostS: 20,
  atMostSends: 2,
};

async function runCase(trial: Trial, { name, wire: settings, atMostS, atMostSends }: Case): Promise<void> {
  const lab = await trial.lab();
  const { host, wire } = await lab.wiredHost("sender", { ...settings, seed: trial.seed });
  const node = await startUdpNode(await lab.host("node"));
  const sender = await host.driver("udp-node", [NETWORK]);
  await sender.ask("connect", { id: node.id, ip: node.host.ip, port: node.port });
  const before = await wire.counters();
  const flow = await sendFlow(sender, node, { count: COUNT });
  const after = await wire.counters();
  // Every datagram of the sender, acks and pings included.
  const sends = (after.out.seen - before.out.seen) / COUNT;
  trial.measure(`${name}: arrived`, flow.unique, { atLeast: COUNT, atMost: COUNT, unit: `of ${COUNT}` });
  trial.measure(`${name}: arrived twice`, flow.repeated, { atMost: 0 });
  trial.measure(`${name}: acknowledged`, flow.acknowledged, { atLeast: COUNT });
  trial.measure(`${name}: all within`, flow.seconds, { atMost: atMostS, unit: "s" });
  trial.measure(`${name}: datagrams sent for each`, sends, { atMost: atMostSends });
  // A message's time is counted from when it was handed over, so most of it is waiting for the window: told, not judged.
  const [half, most, all] = flow.latenciesMs.map((ms) => Math.round(ms));
  const overflowed = after.out.overflowed + after.in.overflowed;
  trial.check(`${name}: the wire overflowed nowhere`, overflowed === 0, `${half}, ${most}, ${all} ms`);
}

export const impaired: Scenario = {
  name: "impaired",
  shows: "10,000 messages of 1 kB arrive once each over a wire that loses 20 % each way, within 45 s and 2 sends each",
  deadlineS: 90,
  longDeadlineS: 180,
  async run(trial) {
    await runCase(trial, LOSS);
    if (trial.isLong) await runCase(trial, BURSTS);
  },
};
