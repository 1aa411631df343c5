// Sources that no honest datagram has. Some of these end a naive Node program with one packet: a send to port 0 throws, a send to
// the subnet's broadcast address fails with an error event.
import { noise, validHellos } from "../datagrams.ts";
import type { Host } from "../net/host.ts";
import { Meter } from "../net/meter.ts";
import { spoof } from "../net/spoof.ts";
import { connectNewcomer, NETWORK, startRelay, startUdpNode, type Target } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const COUNT = 20;
const QUIET_MS = 300;

type Source = {
  readonly name: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly from: Host;
  /** The kernel lets it through to the socket. */
  readonly arrives: boolean;
};

function sources(node: Target, neighbour: Host, stranger: Host): Source[] {
  const subnet = node.host.ip.replace(/\.\d+$/, "");
  const odd = (name: string, source: string, sourcePort: number, from: Host, arrives: boolean): Source => {
    return { name, source, sourcePort, from, arrives };
  };
  return [
    odd("port 0", stranger.ip, 0, neighbour, true),
    odd("the subnet's broadcast address", `${subnet}.255`, 5_000, neighbour, true),
    odd("broadcast", "255.255.255.255", 5_000, neighbour, false),
    odd("multicast", "224.0.0.1", 5_000, neighbour, false),
    odd("loopback, from outside", "127.0.0.1", 5_000, neighbour, false),
    odd("its own address, from outside", node.host.ip, node.port, neighbour, false),
    odd("its own address and port", node.host.ip, node.port, node.host, true),
    odd("its own address, port 0", node.host.ip, 0, node.host, true),
    odd("a reserved address", "240.0.0.1", 5_000, neighbour, true),
  ];
}

/** What the node refused or could not send, by its own count. */
async function refusals(node: Target): Promise<number> {
  const counters = await node.process.ask("counters");
  const names = ["socket.dropped.source", "dropped.bad-source", "socket.send.failed"];
  return names.reduce((sum, name) => sum + Number(counters[name] ?? 0), 0);
}

async function attack(trial: Trial, lab: Parameters<typeof spoof>[0], target: Target, odd: Source): Promise<void> {
  // Hellos are what would be answered; each is another one, for repeated ones are answered by memory.
  const payloads = [...validHellos(target.id, NETWORK, COUNT / 2, trial.random), noise(undefined, 100, trial.random)];
  await spoof(lab, odd.from, {
    source: odd.source,
    sourcePort: odd.sourcePort,
    target: target.host.ip,
    targetPort: target.port,
    payloads,
    count: COUNT,
    perSecond: 500,
  });
}

export const oddSources: Scenario = {
  name: "odd-sources",
  shows:
    "datagrams from port 0, broadcast, multicast or a program's own address end neither node nor relay, and are counted",
  deadlineS: 90,
  async run(trial) {
    const lab = await trial.lab();
    const neighbour = await lab.host("neighbour");
    const stranger = await lab.host("stranger");
    const newcomer = await stranger.driver("udp-node", [NETWORK]);
    const node = await startUdpNode(await lab.host("node"));
    const relay = await startRelay(await lab.host("relay"));
    for (const odd of sources(node, neighbour, stranger)) {
      const meter = await Meter.at(node.host, odd.source);
      const before = await refusals(node);
      await attack(trial, lab, node, odd);
      const { inPackets, outPackets } = await meter.settled(QUIET_MS, 5_000);
      const refused = (await refusals(node)) - before;
      const detail = `${COUNT} sent, ${refused} refused`;
      trial.check(`${odd.name}: node lives`, !node.process.isDead);
      if (odd.arrives)
        trial.measure(`${odd.name}: refused`, refused, { atLeast: Math.min(COUNT / 2, inPackets), detail });
      // Its own datagrams are what it "sends" there in the attack from its own machine.
      if (odd.from !== node.host) trial.measure(`${odd.name}: answers that left`, outPackets, { atMost: 0 });
    }
    for (const odd of sources(relay, neighbour, stranger)) await attack(trial, lab, relay, odd);
    for (const target of [node, relay]) {
      const ms = await connectNewcomer(newcomer, target);
      trial.measure(`${target.name}: a newcomer after all that`, ms, { atMost: 3_000, unit: "ms" });
    }
  },
};
