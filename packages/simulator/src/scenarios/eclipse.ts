import type { Contact } from "@starling/wire-protocol";
import { createFleet } from "../fleet.ts";
import type { SimNode } from "../machine.ts";
import { MODEL } from "../plan.ts";
import { pick } from "../seeded-random.ts";
import type { CellOptions, Outcome } from "./scenario.ts";
import { unicastFigures } from "./unicast.ts";

// A thousand shipped nodes of one owner, on the addresses of one /24, join a network of fifty honest ones, at the same time.

const ATTACKERS = 1000;
const BLOCK = "66.66.66";
const ADDRESSES = 250;
const FIRST_PORT = 4000;
const LOSS = 0.01;
/** When the share is looked at, after all have begun to join; the last is held against the target. */
const LOOKS_MS = [30_000, 60_000, 120_000];
const MESSAGES = 500;

export function eclipse({ nodes, seed, crypto, progress }: CellOptions): Outcome {
  const fleet = createFleet({ nodes, seed, crypto, progress, loss: LOSS, natShare: 0 });
  const { world, random, relays, ledger } = fleet;
  for (let i = 0; i < ATTACKERS; i += 1) {
    world.queue.at((i / ATTACKERS) * MODEL.joinMs, () => {
      const address = { ip: `${BLOCK}.${1 + (i % ADDRESSES)}`, port: FIRST_PORT + Math.floor(i / ADDRESSES) };
      const bootstrap = [pick(random, relays), pick(random, relays)].map(({ contact }) => contact);
      const { maxNeighbours } = MODEL;
      world.addNode({ bootstrap, announce: [address], maxNeighbours, maxChannels: 0 }, { address });
    });
  }
  world.run(MODEL.joinMs);
  const joinedMs = world.queue.nowMs;
  const looks = LOOKS_MS.map((atMs) => {
    world.run(joinedMs + atMs - world.queue.nowMs);
    return Math.max(...fleet.nodes.map(attackerShare));
  });
  const shares = fleet.nodes.map(attackerShare);
  for (let i = 0; i < MESSAGES; i += 1) {
    const [from, to] = [pick(random, fleet.nodes), pick(random, fleet.nodes)];
    if (from !== to) ledger.send(from, to, "any", 30_000);
    world.run(100);
  }
  world.run(31_000);
  const { delivered = Number.NaN, messages = 0 } = unicastFigures(fleet, ledger.messages);
  return {
    fleet,
    figures: {
      attackerShareMax: Math.max(...shares),
      ...Object.fromEntries(LOOKS_MS.map((atMs, i) => [`attackerShareAfter${atMs / 1000}s`, looks[i] ?? Number.NaN])),
      attackerShareMean: shares.reduce((sum, share) => sum + share, 0) / shares.length,
      anchorsOfAttackerMax: Math.max(...fleet.nodes.map(attackerAnchors)),
      tableMean: fleet.nodes.reduce((sum, node) => sum + table(node).length, 0) / nodes,
      honestMessages: messages,
      honestDelivered: delivered,
    },
  };
}

/** The verified contacts that a node keeps and hands on. */
function table(node: SimNode): readonly Contact[] {
  return node.core.contacts();
}

function attackerShare(node: SimNode): number {
  const entries = table(node);
  return entries.filter(({ address }) => address.ip.startsWith(`${BLOCK}.`)).length / Math.max(1, entries.length);
}

function attackerAnchors(node: SimNode): number {
  const anchors = new Set(node.core.anchors());
  return node.core.neighbours().filter(({ id, address }) => anchors.has(id) && address.ip.startsWith(`${BLOCK}.`))
    .length;
}
