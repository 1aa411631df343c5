// A relay as it is installed, under what a stranger and a bad neighbour can do to it without and with a session, all of it while two
// nodes talk over that relay, who have no other way.
import { noise, validHellos } from "../datagrams.ts";
import type { Host } from "../net/host.ts";
import type { HostProcess } from "../net/host-process.ts";
import type { Lab } from "../net/lab.ts";
import { Meter } from "../net/meter.ts";
import { type Forged, spoof } from "../net/spoof.ts";
import { withNodes } from "../nodes.ts";
import { residentBytes } from "../resident.ts";
import { isFlawless, Stream, streamLine } from "../stream.ts";
import { connectNewcomer, NETWORK, startRelay, type Target } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const MESSAGES_PER_SECOND = 20;
const ATTACK_SECONDS = 4;
const GARBAGE_PER_SECOND = 5_000;
const HELLOS_PER_SECOND = 2_000;
const FORGED_IPS = 1_000;
const REPLAYS = 5_000;
/** Each first datagram reserves room for a whole frame, which never comes. */
const FRAGMENTED_FRAMES = 16;
const FRAGMENTED_BYTES = 60_000;
/** Each an Announce of a new record and a list of eight contacts. */
const NAMINGS = 125;
const VICTIM_PORT = 4_100;
const QUIET_MS = 300;
const GROWTH_MAX_BYTES = 64 * 1024 * 1024;

type Scene = {
  readonly lab: Lab;
  readonly relay: Target;
  readonly attacker: Host;
  readonly victim: Host;
  /** A peer of the relay's that is up to no good. */
  readonly neighbour: HostProcess;
  readonly meter: Meter;
};

function attack({ lab, attacker, relay }: Scene, forged: Pick<Forged, "payloads" | "perSecond"> & Partial<Forged>) {
  return spoof(lab, attacker, {
    source: attacker.ip,
    sourcePort: 7_000,
    target: relay.host.ip,
    targetPort: relay.port,
    count: ATTACK_SECONDS * forged.perSecond,
    ...forged,
  });
}

/** What the relay sent to the victim meanwhile must not be more than came in its name. */
async function inItsName(trial: Trial, scene: Scene, name: string, run: () => Promise<unknown>): Promise<void> {
  await scene.meter.reset();
  await run();
  const { inPackets, inBytes, outPackets, outBytes } = await scene.meter.settled(QUIET_MS, 10_000);
  trial.check(`${name}: the datagrams arrived`, inPackets > 0);
  const detail = `${inPackets} in, ${outPackets} out`;
  trial.measure(`${name}: bytes to the victim, to those in its name`, outBytes / inBytes, { atMost: 1, detail });
}

async function byStrangers(trial: Trial, scene: Scene): Promise<void> {
  const { relay, victim } = scene;
  const kinds = [undefined, 0x50, 0x51, 0x52, 0x53];
  const payloads = [29, 37, 300, 1_200].flatMap((size) => kinds.map((kind) => noise(kind, size, trial.random)));
  const forged = { source: victim.ip, sourcePort: VICTIM_PORT };
  await inItsName(trial, scene, "garbage", () => attack(scene, { payloads, perSecond: GARBAGE_PER_SECOND, ...forged }));
  const hellos = validHellos(relay.id, NETWORK, 500, trial.random);
  await inItsName(trial, scene, "handshakes", () =>
    attack(scene, { payloads: hellos, perSecond: HELLOS_PER_SECOND, ...forged }),
  );
  await attack(scene, { payloads: hellos, perSecond: HELLOS_PER_SECOND });
  await attack(scene, { payloads: hellos, perSecond: HELLOS_PER_SECOND, source: "90.0.0.1", sources: FORGED_IPS });
}

async function sealed(neighbour: HostProcess, relay: Target, sizeBytes: number): Promise<Uint8Array[]> {
  const { datagrams } = await neighbour.ask("seal", { id: relay.id, sizeBytes });
  return (datagrams as string[]).map((hex) => Buffer.from(hex, "hex"));
}

async function byANeighbour(trial: Trial, scene: Scene): Promise<void> {
  const { relay, victim, neighbour, meter } = scene;
  const forged = { source: victim.ip, sourcePort: VICTIM_PORT };
  const taken: Uint8Array[] = [];
  for (let i = 0; i < 50; i += 1) taken.push(...(await sealed(neighbour, relay, 500)));
  await inItsName(trial, scene, "replays", () =>
    attack(scene, { payloads: taken, count: REPLAYS, perSecond: 2_500, ...forged }),
  );

  await meter.reset();
  await neighbour.ask("name", { id: relay.id, ip: victim.ip, port: VICTIM_PORT, count: NAMINGS });
  // Hearsay is dialled at 0, 1 and 3 s, and not again for ten minutes.
  const named = await meter.settled(4_500, 30_000);
  trial.measure("datagrams to a victim that 1,000 contacts and records name", named.outPackets, { atMost: 3 });

  await neighbour.ask("mute");
  const firsts: Uint8Array[] = [];
  for (let i = 0; i < FRAGMENTED_FRAMES; i += 1) {
    const [first] = await sealed(neighbour, relay, FRAGMENTED_BYTES);
    if (first !== undefined) firsts.push(first);
  }
  const { port } = await neighbour.line("ready", ({ type }) => type === "ready");
  trial.check("first fragments were sealed", firsts.length > 0, `${firsts.length}`);
  await attack(scene, { payloads: firsts, count: 100 * firsts.length, perSecond: 500, sourcePort: Number(port) });
}

export const besiegedRelay: Scenario = {
  name: "besieged-relay",
  shows:
    "an honest pair talks over a relay under garbage, floods of handshakes, replays, fragments that never end and records that name a victim",
  deadlineS: 240,
  async run(trial) {
    const lab = await trial.lab();
    const relay = await startRelay(await lab.host("relay"));
    const [attacker, victim] = [await lab.host("attacker"), await lab.host("victim")];
    const neighbour = await attacker.driver("session-client", [NETWORK]);
    await neighbour.ask("connect", { id: relay.id, ip: relay.host.ip, port: relay.port });
    const meter = await Meter.at(relay.host, victim.ip);
    const scene = { lab, relay, attacker, victim, neighbour, meter };
    const newcomer = await (await lab.host("newcomer")).driver("udp-node", [NETWORK]);
    // Routers that differ for each peer on both sides: no way but by the relay.
    const sites = [await lab.site("router-a", "sym", ["a"]), await lab.site("router-b", "sym", ["b"])];
    const hosts = sites.map((site, i) => site.host(i === 0 ? "a" : "b"));
    await withNodes(hosts, [relay], async ([a, b]) => {
      if (a === undefined || b === undefined) throw new Error("two nodes are needed");
      const before = residentBytes(relay.process.pid);
      const stream = await Stream.start(a, b, { perSecond: MESSAGES_PER_SECOND, via: "relay" });
      await stream.arrived(MESSAGES_PER_SECOND, 60_000);
      await byStrangers(trial, scene);
      await byANeighbour(trial, scene);
      const report = await stream.stop();
      trial.check("the pair's messages, each once and in order", isFlawless(report), streamLine(report));
      trial.measure("longest gap between two of them", report.longestGapMs, { atMost: 5_000, unit: "ms" });
      const growth = residentBytes(relay.process.pid) - before;
      trial.measure("memory of the relay, growth", growth / 1e6, { atMost: GROWTH_MAX_BYTES / 1e6, unit: "MB" });
      const ms = await connectNewcomer(newcomer, relay);
      trial.measure("a newcomer after all that", ms, { atMost: 3_000, unit: "ms" });
    });
  },
};
