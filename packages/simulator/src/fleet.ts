import type { NodeId } from "@starling/crypto-identity";
import type { NodeCoreOptions, NodeOutput } from "@starling/node-core";
import type { CryptoTap } from "./crypto-tap.ts";
import { Ledger } from "./ledger.ts";
import type { SimNode, SimRelay } from "./machine.ts";
import type { NatKind } from "./nat.ts";
import { MODEL } from "./plan.ts";
import { pick, type SeededRandom } from "./seeded-random.ts";
import { type Progress, World, type WorldOptions } from "./world.ts";

// The network of most scenarios: bootstrap relays, and nodes that join over some seconds, half of them behind NATs.

const RELAYS_MIN = 4;
const BOOTSTRAPS = 3;
const NATS: readonly NatKind[] = ["full", "addr", "port", "sym"];

export type FleetOptions = {
  readonly nodes: number;
  readonly seed: number;
  readonly crypto: "real" | "stand-in";
  readonly progress?: Progress | undefined;
  readonly loss?: number;
  readonly duplication?: number;
  readonly joinMs?: number;
  readonly world?: Partial<WorldOptions>;
  readonly node?: Partial<NodeCoreOptions>;
  /** Over the ledger's own, for each node. */
  readonly tap?: (self: () => NodeId, isPublic: boolean) => CryptoTap | undefined;
  readonly relayTap?: (self: () => NodeId) => CryptoTap;
  readonly natShare?: number;
};

export type Fleet = {
  readonly world: World;
  readonly random: SeededRandom;
  readonly relays: readonly SimRelay[];
  /** All of them once `joinMs` has passed. */
  readonly nodes: SimNode[];
  readonly ledger: Ledger;
  /** Since when it runs. */
  readonly upSinceMs: Map<SimNode, number>;
  /** Hears what every node puts out, but datagrams. */
  onOutput: ((node: SimNode, output: NodeOutput) => void) | undefined;
};

/** Plans the start of every machine; nothing has run yet. */
export function createFleet(options: FleetOptions): Fleet {
  const { nodes: count, seed, crypto, progress, loss = MODEL.loss, duplication = MODEL.duplication } = options;
  const { joinMs = MODEL.joinMs, natShare = MODEL.natShare } = options;
  const floor = crypto === "stand-in" ? { floor: 1 } : {};
  const always = { keepsOutputs: false, progress };
  const world = new World({ seed, loss, duplication, crypto, ...floor, ...always, ...options.world });
  const random = world.forkRandom();
  const ledger = new Ledger(() => world.queue.nowMs);
  const { maxNeighbours } = MODEL;
  const relays: SimRelay[] = [];
  const relayCount = Math.max(RELAYS_MIN, Math.ceil(count / MODEL.nodesPerRelay));
  for (let i = 0; i < relayCount; i += 1) {
    const bootstrap = relays.slice(-BOOTSTRAPS).map(({ contact }) => contact);
    let relay: SimRelay | undefined;
    const self = () => relay?.id as NodeId;
    const counted = ledger.tap(self);
    const extra = options.relayTap?.(self);
    const tap: CryptoTap = extra === undefined ? counted : (real) => extra(counted(real));
    relay = world.addRelay({ bootstrap, maxNeighbours }, { tap });
    relays.push(relay);
  }
  const nodes: SimNode[] = [];
  const upSinceMs = new Map<SimNode, number>();
  const join = () => {
    const nat: NatKind = random.fraction() < natShare ? pick(random, NATS) : "none";
    const bootstrap = sample(random, relays, BOOTSTRAPS).map(({ contact }) => contact);
    let node: SimNode | undefined;
    const self = () => node?.id as NodeId;
    const counted = ledger.tap(self);
    const extra = options.tap?.(self, nat === "none");
    const tap: CryptoTap = extra === undefined ? counted : (real) => extra(counted(real));
    // Channels are a matter of their own: these figures are about the overlay of UDP links.
    node = world.addNode({ bootstrap, maxNeighbours, maxChannels: 0, ...options.node }, { tap, nat });
    const joined = node;
    upSinceMs.set(joined, world.queue.nowMs);
    joined.onOutput = (output) => {
      ledger.hear(joined, output);
      fleet.onOutput?.(joined, output);
    };
    joined.feed({ type: "listening", on: true });
    nodes.push(joined);
  };
  for (let i = 0; i < count; i += 1) world.queue.at((i / count) * joinMs, join);
  const fleet: Fleet = { world, random, relays, nodes, ledger, upSinceMs, onOutput: undefined };
  return fleet;
}

/** Restarts a node on its machine. */
export function restart(fleet: Fleet, node: SimNode): void {
  if (node.isUp) return;
  node.start();
  node.feed({ type: "listening", on: true });
  fleet.upSinceMs.set(node, fleet.world.queue.nowMs);
}

export function stop(fleet: Fleet, node: SimNode, how: "kill" | "close"): void {
  if (how === "kill") node.kill();
  else node.close();
  fleet.ledger.forget(node);
  fleet.upSinceMs.delete(node);
}

const DOWN_LEAST_MS = 5000;
const DOWN_MOST_MS = 60_000;

/** From now until `untilMs` this share of the nodes leaves in a minute, half of them without a word, and comes back after 5 to 60 s. */
export function churn(fleet: Fleet, share: number, untilMs: number): void {
  const { world, random, nodes } = fleet;
  const meanGapMs = 60_000 / (nodes.length * share);
  const next = () => {
    const gapMs = -Math.log(1 - random.fraction()) * meanGapMs;
    const atMs = world.queue.nowMs + gapMs;
    if (atMs > untilMs) return;
    world.queue.at(atMs, () => {
      const node = pick(random, nodes);
      if (node.isUp) {
        stop(fleet, node, random.fraction() < 0.5 ? "kill" : "close");
        const downMs = DOWN_LEAST_MS + random.fraction() * (DOWN_MOST_MS - DOWN_LEAST_MS);
        world.queue.at(world.queue.nowMs + downMs, () => restart(fleet, node));
      }
      next();
    });
  };
  next();
}

/** Nodes that have been up for this long. */
export function settledNodes(fleet: Fleet, forMs: number): SimNode[] {
  const beforeMs = fleet.world.queue.nowMs - forMs;
  return fleet.nodes.filter((node) => (fleet.upSinceMs.get(node) ?? Number.POSITIVE_INFINITY) <= beforeMs);
}

function sample<T>(random: SeededRandom, from: readonly T[], count: number): T[] {
  const left = [...from];
  const taken: T[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(random.integer(left.length), 1));
  return taken;
}
