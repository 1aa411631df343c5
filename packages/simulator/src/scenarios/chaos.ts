import type { NodeId } from "@starling/crypto-identity";
import { dropsForwarded } from "../adversary/dropper.ts";
import { Flooder } from "../adversary/flooder.ts";
import type { CryptoTap } from "../crypto-tap.ts";
import { Invariants } from "../invariants.ts";
import { Ledger } from "../ledger.ts";
import type { SimNode, SimRelay } from "../machine.ts";
import type { NatKind } from "../nat.ts";
import { pick, type SeededRandom } from "../seeded-random.ts";
import { World } from "../world.ts";
import type { CellOptions, Outcome } from "./scenario.ts";

// Twenty machines and everything that can go wrong, drawn from the seed: loss, bursts, duplication, NATs, partitions, crashes,
// restarts, clocks that are off and step, silent droppers and a flooder. Nothing has to get through while it lasts; but the
// invariants hold after every step. Once it is over each node writes to another one; who is not reached within 30 s is counted.

const RELAY_SHARE = 0.2;
const FAULTS_MS = 60_000;
const HEAL_MS = 60_000;
const TIMEOUT_MS = 30_000;
const QUIET_MS = 40_000;
/** Clocks are off by up to half of this either way: two may be further apart than a receiver takes (PROTOCOL §7.4), and neighbours decide. */
const CLOCKS_MS = 40_000;
const MAX_NEIGHBOURS = 64;
const MAX_CHANNELS = 8;
const NATS: readonly NatKind[] = ["none", "full", "addr", "port", "sym"];

type Scene = {
  readonly world: World;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly invariants: Invariants;
  readonly relays: SimRelay[];
  readonly nodes: SimNode[];
};

export function chaos(options: CellOptions): Outcome {
  const scene = createScene(options);
  const { world, ledger, invariants, random, nodes, relays } = scene;
  const { conditions } = world.network;
  const endMs = FAULTS_MS;
  planMessages(scene, options.messages, endMs);
  planFaults(scene, endMs);
  world.run(endMs);

  // All is well again.
  world.network.isPartitioned = false;
  world.network.conditions = { latency: conditions.latency, loss: 0.01, duplication: 0.01 };
  for (const machine of [...relays, ...nodes]) {
    machine.place.isBad = false;
    machine.clock.offsetMs = Math.round((random.fraction() - 0.5) * CLOCKS_MS);
    invariants.clockStepped(machine.id);
    machine.start();
  }
  listen(nodes);
  world.run(HEAL_MS);
  const last = nodes.map((node) => {
    const others = nodes.filter((other) => other !== node);
    return ledger.send(node, pick(random, others), "any", TIMEOUT_MS);
  });
  world.run(TIMEOUT_MS + 1000);
  world.run(QUIET_MS);
  invariants.quiet([...relays, ...nodes]);
  for (const message of ledger.unsettled()) {
    invariants.violated(`nothing was heard of message ${message.index}, and its author lives`);
  }
  for (const machine of [...nodes, ...relays]) machine.close();
  const { sent } = world.network.counts;
  world.run(QUIET_MS);
  if (world.network.counts.sent > sent) invariants.violated("something was sent after all had closed");
  if (world.rtc.liveCount > 0) invariants.violated(`${world.rtc.liveCount} channels outlived their nodes`);
  ledger.violations.push(...invariants.violations);
  const unreached = last.filter((message) => message !== undefined && message.receiptMs === undefined).length;
  const received = ledger.messages.filter(({ receiptMs }) => receiptMs !== undefined).length;
  return {
    fleet: { world, ledger },
    figures: { messages: ledger.messages.length, received: received / ledger.messages.length, unreached },
  };
}

function createScene({ nodes: count, seed, crypto, progress }: CellOptions): Scene {
  const floor = crypto === "stand-in" ? { floor: 1 } : {};
  const world = new World({ seed, loss: 0, duplication: 0, crypto, ...floor, keepsOutputs: false, progress });
  const random = world.forkRandom();
  const ledger = new Ledger(() => world.queue.nowMs);
  const invariants = new Invariants({ maxNeighbours: MAX_NEIGHBOURS, maxChannels: MAX_CHANNELS });
  invariants.watch(world);
  const scene: Scene = { world, random, ledger, invariants, relays: [], nodes: [] };
  world.network.conditions = {
    latency: world.network.conditions.latency,
    loss: random.fraction() * 0.3,
    duplication: random.fraction() * 0.1,
    ...(random.fraction() < 0.5 && { bursts: { begins: 0.01, ends: 0.15 } }),
  };
  const relayCount = Math.max(2, Math.round(count * RELAY_SHARE));
  for (let i = 0; i < count; i += 1) {
    const bootstrap = scene.relays.slice(0, 3).map(({ contact }) => contact);
    const common = { bootstrap, maxNeighbours: MAX_NEIGHBOURS };
    let machine: SimRelay | SimNode | undefined;
    const self = () => machine?.id as NodeId;
    const watching = invariants.tap(self);
    const counting = ledger.tap(self);
    if (i < relayCount) {
      const relay = world.addRelay(common, { tap: (real) => watching(counting(real)) });
      machine = relay;
      scene.relays.push(relay);
      continue;
    }
    // One in ten does not forward what it acknowledges.
    const drops: CryptoTap = random.fraction() < 0.1 ? dropsForwarded(self) : (real) => real;
    const tap: CryptoTap = (real) => watching(drops(counting(real)));
    const node = world.addNode({ ...common, maxChannels: MAX_CHANNELS }, { tap, nat: pick(random, NATS) });
    machine = node;
    node.clock.offsetMs = Math.round((random.fraction() - 0.5) * CLOCKS_MS);
    node.onOutput = (output) => ledger.hear(node, output);
    scene.nodes.push(node);
  }
  listen(scene.nodes);
  return scene;
}

function listen(nodes: readonly SimNode[]): void {
  for (const node of nodes) node.feed({ type: "listening", on: true });
}

function planMessages({ world, random, ledger, nodes }: Scene, count: number, endMs: number): void {
  for (let i = 0; i < count; i += 1) {
    world.queue.at(random.fraction() * endMs, () => {
      const [from, to] = [pick(random, nodes), pick(random, nodes)];
      if (from === to || !from.isUp) return;
      if (random.fraction() < 0.15) {
        const content = random.bytes(random.integer(2000));
        from.feed({ type: "broadcast", id: `b${i}`, content, topic: "chaos" });
      } else {
        ledger.send(from, to, random.fraction() < 0.5 ? "any" : "relay", TIMEOUT_MS);
      }
      if (random.fraction() < 0.1) from.feed({ type: "connect", id: `c${i}`, peer: to.id });
    });
  }
}

function planFaults(scene: Scene, endMs: number): void {
  const { world, random, ledger, invariants, relays, nodes } = scene;
  const { queue, network } = world;
  const soon = (ms: number) => Math.min(queue.nowMs + random.fraction() * ms, endMs);
  const crashes = random.integer(9);
  for (let i = 0; i < crashes; i += 1) {
    queue.at(random.fraction() * endMs, () => {
      const machine = pick<SimRelay | SimNode>(random, random.fraction() < 0.3 ? relays : nodes);
      if (!machine.isUp) return;
      if (random.fraction() < 0.6) machine.kill();
      else machine.close();
      invariants.forgot(machine.id);
      if ("disk" in machine) ledger.forget(machine);
      queue.at(soon(20_000), () => {
        machine.start();
        if ("disk" in machine) listen([machine]);
      });
    });
  }
  for (let i = random.integer(3); i > 0; i -= 1) {
    queue.at(random.fraction() * endMs, () => {
      for (const { place } of [...relays, ...nodes]) place.side = random.integer(2);
      network.isPartitioned = true;
      queue.at(soon(20_000), () => {
        network.isPartitioned = false;
      });
    });
  }
  for (let i = random.integer(4); i > 0; i -= 1) {
    queue.at(random.fraction() * endMs, () => {
      // Up to 83 minutes either way, mostly less.
      const stepMs = Math.round((random.fraction() - 0.5) * 10 ** (3 + random.integer(5)));
      const machine = pick<SimRelay | SimNode>(random, [...relays, ...nodes]);
      machine.clock.offsetMs += stepMs;
      invariants.clockStepped(machine.id);
    });
  }
  if (random.fraction() < 0.3) {
    const flooder = new Flooder(world, random.fork());
    flooder.flood(pick(random, [...relays, ...nodes]).place.address, { perSecond: 200, untilMs: endMs });
  }
}
