import { Attacker, type SimNode, World } from "@starling/simulator";
import { encodeAnnounce, FRAME_KIND, signNodeRecord } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost } from "../attack.ts";

// On one machine all addresses are of one block, and count in none. So the shipped cores run in the simulator, in virtual time: in a
// network of 50 nodes, each in a /24 of its own, a thousand ids of one /24 open sessions to one node and announce themselves, and
// answer whoever dials them. Relays and a node know each other from before.

const HONEST = 50;
const IDS = 1_000;
const BLOCK = "66.66.66";
const ADDRESSES = 250;
const SEED = 11;
const SETTLE_MS = 40_000;
const STEP_MS = 30;
const MESSAGES = 50;
const MESSAGE_MS = 10_000;

export const sybil: Attack = {
  name: "sybil",
  does: `${IDS.toLocaleString("en-US")} ids of one /24 close in on a node of a network of ${HONEST}, in virtual time`,
  on: "none",
  run() {
    const world = new World({ seed: SEED, latencyMs: [5, 40], loss: 0, duplication: 0, crypto: "stand-in", floor: 16 });
    const relays = [world.addRelay(), world.addRelay()];
    const bootstrap = relays.map(({ contact }) => contact);
    const nodes: SimNode[] = [];
    for (let i = 0; i < HONEST; i += 1) {
      const node = world.addNode({ bootstrap, maxNeighbours: 256, maxChannels: 0 });
      node.feed({ type: "listening", on: true });
      nodes.push(node);
      world.run(STEP_MS);
    }
    world.run(SETTLE_MS);
    const [victim, ...others] = nodes;
    if (victim === undefined) throw new Error("nobody to attack");
    for (let i = 0; i < IDS; i += 1) {
      closeIn(world, victim, i);
      world.run(STEP_MS);
    }
    world.run(SETTLE_MS);
    const table = victim.core.contacts();
    const held = table.filter(({ address }) => address.ip.startsWith(`${BLOCK}.`)).length;
    const ofAttacker = new Set(
      victim.core.neighbours().flatMap(({ id, address }) => (address.ip.startsWith(`${BLOCK}.`) ? [id] : [])),
    );
    const anchors = victim.core.anchors().filter((id) => ofAttacker.has(id)).length;
    const delivered = talk(world, victim, others);
    return Promise.resolve({
      badCount: IDS,
      checks: [
        atLeast("S11", "sessions of the attacker's that the node took, so that it was tried", ofAttacker.size, 100),
        atMost("S11", "entries of a node's table that are the attacker's", held, 10),
        atMost("S11", "their share of it", held / table.length, 0.25),
        atMost("S11", "anchors of a node that are the attacker's", anchors, 1),
        atLeast("S11", "share of messages to and from it that arrived", delivered, 1),
      ],
      note: `${ofAttacker.size} sessions of the attacker's at the end, ${table.length} entries in the table`,
    });
  },
};

function closeIn(world: World, victim: SimNode, index: number): void {
  const address = { ip: `${BLOCK}.${1 + (index % ADDRESSES)}`, port: 4_000 + Math.floor(index / ADDRESSES) };
  const attacker = new Attacker(world, { address });
  attacker.connect({ id: victim.id, address: victim.address });
  world.queue.at(world.queue.nowMs + 1_000, () => {
    const { identity, networkName: network } = attacker;
    const sequence = attacker.now().wall;
    const random = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(index & 0xff);
    const record = signNodeRecord({ identity, network, role: "node", addresses: [address], sequence, random });
    attacker.say(victim.id, {
      kind: FRAME_KIND.announce,
      body: encodeAnnounce({ type: "announce", anchor: true, record }),
    });
  });
}

/** Half of the messages go to the node, half come from it. */
function talk(world: World, victim: SimNode, others: readonly SimNode[]): number {
  const content = new Uint8Array(100);
  for (let i = 0; i < MESSAGES; i += 1) {
    const other = others[i % others.length] ?? victim;
    const [from, to] = i % 2 === 0 ? [victim, other] : [other, victim];
    from.feed({ type: "submit", id: `${i}`, to: to.id, content, topic: "", via: "relay", timeoutMs: MESSAGE_MS });
    world.run(STEP_MS);
  }
  world.run(MESSAGE_MS);
  const receipts = [victim, ...others].flatMap(({ outputs }) => outputs.filter(({ type }) => type === "receipt"));
  return receipts.length / MESSAGES;
}
