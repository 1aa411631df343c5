import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import { type Address, encodeMessage, signNodeRecord } from "@starling/wire-protocol";
import { Attacker } from "../adversary/attacker.ts";
import { createFleet } from "../fleet.ts";
import type { Place } from "../network.ts";
import { MODEL } from "../plan.ts";
import { pick } from "../seeded-random.ts";
import type { CellOptions, Outcome } from "./scenario.ts";

// Ten attackers with sessions to every machine that takes them name a victim and places that are nobody's business, a thousand times
// each, in every frame that can name an address: Pong, Nodes, Announce. Counted is what honest machines send there in ten minutes.

const ATTACKERS = 10;
/** Within the ten minutes for which an address is tried at most thrice (PROTOCOL §6). */
const ROUNDS = 95;
const ROUND_MS = 6000;
const NAMED_IN_A_FRAME = 8;
const LOSS = 0.01;
const FORBIDDEN: readonly Address[] = [
  { ip: "127.0.0.1", port: 4000 },
  { ip: "127.0.0.1", port: 22 },
  { ip: "10.0.0.1", port: 4000 },
  { ip: "192.168.1.1", port: 4000 },
  { ip: "169.254.1.1", port: 4000 },
  { ip: "224.0.0.251", port: 5353 },
  { ip: "255.255.255.255", port: 4000 },
  { ip: "0.0.0.0", port: 4000 },
];

export function victim({ nodes, seed, crypto, progress }: CellOptions): Outcome {
  const fleet = createFleet({ nodes, seed, crypto, progress, loss: LOSS });
  const { world, random } = fleet;
  world.run(MODEL.joinMs + MODEL.warmUpMs);
  const victimPlace = world.place();
  const attackers = Array.from({ length: ATTACKERS }, () => new Attacker(world));
  const attacking = new Set(attackers.map(({ place }) => place));
  const forbidden = new Set(FORBIDDEN.map(({ ip }) => ip));
  const toVictim = new Map<Place, number>();
  let toForbidden = 0;
  world.network.watch = ({ from, to }) => {
    if (attacking.has(from)) return;
    if (to.ip === victimPlace.address.ip) toVictim.set(from, (toVictim.get(from) ?? 0) + 1);
    if (forbidden.has(to.ip)) toForbidden += 1;
  };
  const targets = [...fleet.relays, ...fleet.nodes].map(({ id, place }) => ({ id, address: place.address }));
  const stranger = (): NodeId => generateIdentity(random.bytes).id;
  const named = () =>
    Array.from({ length: NAMED_IN_A_FRAME }, (_, i) => ({
      id: stranger(),
      address: i % 2 === 0 ? victimPlace.address : pick(random, FORBIDDEN),
    }));
  for (const attacker of attackers) {
    for (const target of targets) attacker.connect(target);
    attacker.hearsay = named;
  }
  let answered = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    world.run(ROUND_MS);
    for (const attacker of attackers) {
      const { identity, networkName: network } = attacker;
      const addresses = [victimPlace.address, pick(random, FORBIDDEN)];
      const sequence = attacker.now().wall;
      const record = signNodeRecord({ identity, network, role: "node", addresses, sequence, random: random.bytes });
      for (const peer of attacker.linked) {
        answered += 1;
        attacker.say(peer, encodeMessage({ type: "announce", anchor: true, record }));
        attacker.say(peer, encodeMessage({ type: "nodes", query: round, attached: true, contacts: named() }));
      }
    }
  }
  world.run(ROUND_MS);
  const counts = [...toVictim.values()];
  return {
    fleet,
    figures: {
      datagramsToVictim: Math.max(0, ...counts),
      datagramsToVictimFromAll: counts.reduce((sum, count) => sum + count, 0),
      datagramsToForbidden: toForbidden,
      framesThatName: answered * 2,
      attackerLinks: attackers.reduce((sum, { linked }) => sum + linked.size, 0),
    },
  };
}
