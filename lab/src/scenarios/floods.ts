// Valid traffic at half of what the two processes can do, while somebody floods the recipient. What they can do changes with what else
// the machine is doing, so it is measured right before, and a round that falls short is repeated, twice at most: a neighbour's noise
// passes, a fault does not.
import { noise, validHellos } from "../datagrams.ts";
import { pass, quietly } from "../deadline.ts";
import { capacityOf, goodputAt } from "../flow.ts";
import type { Host } from "../net/host.ts";
import type { HostProcess } from "../net/host-process.ts";
import type { Lab } from "../net/lab.ts";
import { type Forged, type Spoofed, spoof } from "../net/spoof.ts";
import { connectNewcomer, NETWORK, startUdpNode, type Target } from "../targets.ts";
import type { Scenario, Trial } from "../trial.ts";

const SECONDS = 4;
const GARBAGE_PER_SECOND = 20_000;
const HELLOS_PER_SECOND = 5_000;
const HELLOS = 2_000;
const FORGED_IPS = 1_000;
const VISITS = 3;
const ROUNDS = 3;

type Scene = {
  readonly lab: Lab;
  readonly attacker: Host;
  readonly node: Target;
  readonly sender: HostProcess;
  readonly newcomer: HostProcess;
};
/** `perSecond` is half of the capacity, `calm` the goodput at it before the flood. */
type Round<T> = { readonly number: number; readonly perSecond: number; readonly calm: number; readonly found: T };

async function prepare(trial: Trial): Promise<Scene> {
  const lab = await trial.lab();
  const attacker = await lab.host("attacker");
  const node = await startUdpNode(await lab.host("node"));
  const sender = await (await lab.host("sender")).driver("udp-node", [NETWORK]);
  const newcomer = await (await lab.host("newcomer")).driver("udp-node", [NETWORK]);
  await sender.ask("connect", { id: node.id, ip: node.host.ip, port: node.port });
  return { lab, attacker, node, sender, newcomer };
}

/** The first round whose goodput is enough, or the last. */
async function rounds<T extends { readonly goodput: number }>(
  { node, sender }: Scene,
  enough: number,
  run: (perSecond: number) => Promise<T>,
): Promise<Round<T>> {
  for (let number = 1; ; number += 1) {
    const perSecond = (await capacityOf(sender, node)) / 2;
    const calm = await goodputAt(sender, node, perSecond, 2);
    const found = await run(perSecond);
    if (found.goodput >= enough || number === ROUNDS) return { number, perSecond, calm, found };
  }
}

function report(trial: Trial, name: string, enough: number, round: Round<{ readonly goodput: number }>): void {
  const { number, perSecond, calm, found } = round;
  const offered = `of ${Math.round(perSecond)} messages of 1 kB a second; before the flood ${calm.toFixed(3)}; round ${number}`;
  trial.measure(`${name}: goodput of the running session`, found.goodput, { atLeast: enough, detail: offered });
}

/** Floods for a little longer than `during` takes. */
async function flooded<T>(
  { lab, attacker, node }: Scene,
  flood: Pick<Forged, "payloads" | "perSecond"> & Partial<Forged>,
  during: () => Promise<T>,
): Promise<{ result: T; flood: Spoofed }> {
  const running = spoof(lab, attacker, {
    source: attacker.ip,
    sourcePort: 7_000,
    target: node.host.ip,
    targetPort: node.port,
    count: (SECONDS + 1) * flood.perSecond,
    ...flood,
  });
  quietly(running);
  await pass(500);
  const result = await during();
  return { result, flood: await running };
}

async function counters(node: Target): Promise<Readonly<Record<string, number>>> {
  const { re: _re, ...values } = await node.process.ask("counters");
  return values as Record<string, number>;
}

export const garbageFlood: Scenario = {
  name: "garbage-flood",
  shows: "20,000 garbage datagrams a second leave valid traffic at half of the capacity at least 80 %",
  deadlineS: 240,
  async run(trial) {
    const scene = await prepare(trial);
    const { node, sender } = scene;
    const sizes = [29, 37, 100, 300, 1_199, 1_200];
    const kinds = [undefined, 0x50, 0x51, 0x52, 0x53];
    const payloads = sizes.flatMap((size) => kinds.map((kind) => noise(kind, size, trial.random)));
    const round = await rounds(scene, 0.8, async (perSecond) => {
      const before = await counters(node);
      const { result: goodput, flood } = await flooded(scene, { payloads, perSecond: GARBAGE_PER_SECOND }, () =>
        goodputAt(sender, node, perSecond, SECONDS),
      );
      const dropped = Object.entries(await counters(node))
        .filter(([name]) => name.startsWith("dropped."))
        .reduce((sum, [name, value]) => sum + value - (before[name] ?? 0), 0);
      return { goodput, flood, dropped };
    });
    const { flood, dropped } = round.found;
    trial.measure("garbage a second", flood.sent / flood.seconds, { atLeast: 0.95 * GARBAGE_PER_SECOND });
    report(trial, "garbage", 0.8, round);
    trial.measure("share of the garbage that came in and was counted", dropped / flood.sent, { atLeast: 0.5 });
    trial.measure("a newcomer afterwards", await connectNewcomer(scene.newcomer, node), { atMost: 3_000, unit: "ms" });
  },
};

async function underHellos(trial: Trial, scene: Scene, name: string, source: Partial<Forged>): Promise<void> {
  const { node, sender, newcomer } = scene;
  const round = await rounds(scene, 0.9, async (perSecond) => {
    const payloads = validHellos(node.id, NETWORK, HELLOS, trial.random);
    const before = await counters(node);
    const startedMs = performance.now();
    const { result, flood } = await flooded(scene, { payloads, perSecond: HELLOS_PER_SECOND, ...source }, async () => {
      const goodput = goodputAt(sender, node, perSecond, SECONDS);
      quietly(goodput);
      const visits: number[] = [];
      for (let visit = 0; visit < VISITS; visit += 1) visits.push(await connectNewcomer(newcomer, node));
      return { goodput: await goodput, slowestMs: Math.max(...visits) };
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    const answered = "handshakes.answered";
    const handshakes = ((await counters(node))[answered] ?? 0) - (before[answered] ?? 0);
    return { ...result, flood, handshakesPerSecond: handshakes / seconds };
  });
  const { flood, handshakesPerSecond, slowestMs } = round.found;
  trial.measure(`${name}: Hellos a second`, flood.sent / flood.seconds, { atLeast: 0.95 * HELLOS_PER_SECOND });
  report(trial, name, 0.9, round);
  trial.measure(`${name}: handshakes that cost a DH, a second`, handshakesPerSecond, { atMost: 200 });
  trial.measure(`${name}: slowest of ${VISITS} newcomers`, slowestMs, { atMost: 3_000, unit: "ms" });
}

export const helloFlood: Scenario = {
  name: "hello-flood",
  shows:
    "5,000 well-formed Hellos a second from one ip or a thousand: sessions keep 90 %, few cost a DH, newcomers get in",
  deadlineS: 240,
  async run(trial) {
    const scene = await prepare(trial);
    await underHellos(trial, scene, "one ip", { source: "90.0.0.1" });
    await underHellos(trial, scene, `${FORGED_IPS} ips`, { source: "91.0.0.1", sources: FORGED_IPS });
  },
};
