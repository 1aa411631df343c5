// What an attacker can make our programs send to somebody else (PROTOCOL §3.3: no answer is larger than its Hello): datagrams
// of every kind with the victim's address as their source, and IP bytes out against IP bytes in, counted at the target.
import { strangersDatagrams, validHellos } from "../datagrams.ts";
import { quietly } from "../deadline.ts";
import type { Host } from "../net/host.ts";
import type { HostProcess } from "../net/host-process.ts";
import type { Lab } from "../net/lab.ts";
import { Meter, type Traffic } from "../net/meter.ts";
import { type Forged, type Spoofed, spoof } from "../net/spoof.ts";
import { connectNewcomer, NETWORK, startRelay, startUdpNode, type Target } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const VICTIM_PORT = 53;
const COUNT = 60;
const PER_SECOND = 300;
const QUIET_MS = 300;
const LOAD_PER_SECOND = 400;
const LOAD_SOURCES = 200;

type Scene = { readonly lab: Lab; readonly attacker: Host; readonly victim: Host; readonly client: Host };

function factor(traffic: Traffic): number {
  return traffic.outBytes / traffic.inBytes;
}

function attack(
  scene: Scene,
  target: Target,
  payloads: readonly Uint8Array[],
  more: Partial<Forged> = {},
): Promise<Spoofed> {
  return spoof(scene.lab, scene.attacker, {
    source: scene.victim.ip,
    sourcePort: VICTIM_PORT,
    target: target.host.ip,
    targetPort: target.port,
    payloads,
    count: COUNT,
    perSecond: PER_SECOND,
    ...more,
  });
}

function judge(trial: Trial, name: string, traffic: Traffic, atMost: number): void {
  const detail = `${traffic.inPackets} in, ${traffic.outPackets} out`;
  trial.measure(name, factor(traffic), { atMost, detail });
  // A meter that saw nothing arrive would find any program harmless.
  if (traffic.inPackets === 0) trial.check(`${name}: the datagrams arrived`, false);
}

async function byStrangers(trial: Trial, scene: Scene, target: Target): Promise<void> {
  const meter = await Meter.at(target.host, scene.victim.ip);
  for (const [kind, payloads] of strangersDatagrams(target.id, NETWORK, trial.random)) {
    await meter.reset();
    await attack(scene, target, payloads);
    judge(trial, `${target.name}: ${kind}`, await meter.settled(QUIET_MS, 10_000), 1);
  }
  await meter.reset();
  const hellos = validHellos(target.id, NETWORK, LOAD_PER_SECOND, trial.random);
  const seconds = 2;
  const load = {
    source: "90.0.0.1",
    sources: LOAD_SOURCES,
    count: seconds * LOAD_PER_SECOND,
    perSecond: LOAD_PER_SECOND,
  };
  const fresh = validHellos(target.id, NETWORK, COUNT, trial.random);
  await Promise.all([
    attack(scene, target, hellos, load),
    attack(scene, target, fresh, { perSecond: COUNT / seconds }),
  ]);
  judge(trial, `${target.name}: Hello under load`, await meter.settled(QUIET_MS, 10_000), 1);
}

async function seal(client: HostProcess, id: string, sizeBytes: number): Promise<Uint8Array[]> {
  const { datagrams } = await client.ask("seal", { id, sizeBytes });
  return (datagrams as string[]).map((hex) => Buffer.from(hex, "hex"));
}

/** Datagrams of a session that somebody copied: once it was taken, and before it arrived. */
async function byCopies(trial: Trial, scene: Scene, target: Target): Promise<void> {
  const client = await scene.client.driver("session-client", [NETWORK]);
  const at = { id: target.id, ip: target.host.ip, port: target.port };
  await client.ask("connect", at);
  const meter = await Meter.at(target.host, scene.victim.ip);
  const taken = await seal(client, target.id, 500);
  await meter.settled(QUIET_MS, 5_000);
  await attack(scene, target, taken);
  judge(trial, `${target.name}: Data of a session, again`, await meter.settled(QUIET_MS, 5_000), 1);
  await client.stop();
}

/** The first to arrive from an address is believed, for a peer may move; until that is proved it gets at most three times as much. */
async function onNewPath(trial: Trial, scene: Scene, node: Target, sizeBytes: number): Promise<void> {
  const client = await scene.client.driver("session-client", [NETWORK]);
  await client.ask("connect", { id: node.id, ip: node.host.ip, port: node.port });
  const { id } = await client.line("ready", ({ type }) => type === "ready");
  const meter = await Meter.at(node.host, scene.victim.ip);
  // Much to send to the peer, which the thief wants to have sent to the victim.
  const bulk = node.process.ask("send", { id, flow: sizeBytes, count: 3_000, sizeBytes: 1_000 }, 60_000);
  quietly(bulk);
  await client.ask("mute");
  const copied = await seal(client, node.id, sizeBytes);
  await attack(scene, node, copied, { count: 1 });
  const traffic = await meter.settled(2_500, 20_000);
  judge(trial, `${node.name}: Data of ${sizeBytes} B on a new path`, traffic, 3);
  trial.check(`${node.name}: it was on its way to the copy's source`, traffic.outPackets > 0);
  await client.stop();
}

async function ofTheMeter(trial: Trial, scene: Scene): Promise<void> {
  const reflector = await scene.lab.host("reflector");
  const prober = await reflector.driver("prober", ["", ""]);
  await prober.ask("reflect", { port: 4_100, factor: 2.5 });
  const meter = await Meter.at(reflector, scene.victim.ip);
  const target = { host: reflector, port: 4_100 } as Target;
  await attack(scene, target, [new Uint8Array(200)]);
  const traffic = await meter.settled(QUIET_MS, 5_000);
  // 528 bytes for 228.
  trial.measure("the meter, at a reflector of 2.5 times", factor(traffic), { atLeast: 2.3, atMost: 2.33 });
}

export const amplification: Scenario = {
  name: "amplification",
  shows:
    "no datagram with a forged source makes a node or a relay send more than it got; at most 3 times on a new path",
  deadlineS: 180,
  async run(trial) {
    const lab = await trial.lab();
    const [attacker, victim, client] = [await lab.host("attacker"), await lab.host("victim"), await lab.host("client")];
    const scene: Scene = { lab, attacker, victim, client };
    await ofTheMeter(trial, scene);
    const node = await startUdpNode(await lab.host("node"));
    const relay = await startRelay(await lab.host("relay"));
    const newcomer = await client.driver("udp-node", [NETWORK]);
    for (const target of [node, relay]) {
      await byStrangers(trial, scene, target);
      await byCopies(trial, scene, target);
      const ms = await connectNewcomer(newcomer, target);
      trial.measure(`${target.name}: a newcomer after all that`, ms, { atMost: 3_000, unit: "ms" });
    }
    for (const sizeBytes of [1, 100, 1_000]) await onNewPath(trial, scene, node, sizeBytes);
  },
};
