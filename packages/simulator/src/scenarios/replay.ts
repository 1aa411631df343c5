import type { NodeId } from "@starling/crypto-identity";
import { FRAME_KIND } from "@starling/wire-protocol";
import { Attacker } from "../adversary/attacker.ts";
import { type CryptoTap, watchPlaintexts } from "../crypto-tap.ts";
import { createFleet, type Fleet, restart, stop } from "../fleet.ts";
import { bytesKey, eachFrame, SEND_LOCK, SEND_MIN_BYTES, SEND_RECIPIENT } from "../frames.ts";
import type { SimNode, SimRelay } from "../machine.ts";
import { MODEL } from "../plan.ts";
import { pick } from "../seeded-random.ts";
import type { CellOptions, Outcome } from "./scenario.ts";
import { sendRandomly, unicastFigures } from "./unicast.ts";

// Ten attackers have read every Send and every Publish inside the machines that carried it, and every datagram on the wire. They
// send each envelope again to its recipient, to who carried it and to others, at several ages up to an hour: while it is fresh,
// after the filters have turned over once and twice, and after restarts, with clocks up to 20 s off. Datagrams come again from
// their own forged source.
//
// Nothing but the last replay happens in most of the hour: nineteen machines in twenty are switched off for it, half of them without a
// word, and are back, on their disks, before it comes; the others stay up, in the life in which they had the envelope.

const LOSS = 0.01;
const ATTACKERS = 10;
const LINKS_OF_ATTACKER = 100;
const LINKING_MS = 5000;
/** Messages a second and node. */
const RATE = 1;
const BROADCASTS = 20;
/** How long after it was first seen an envelope comes again. */
const AGES_MS = [1000, 10_000, 60_000, 100_000, 200_000];
const LAST_AGE_MS = 3_600_000;
const DATAGRAMS_KEPT = 20_000;
const DATAGRAM_AGES_MS = [1000, 60_000, 600_000];
/** Restarts by kill, a share of all machines each minute while messages are sent and for some minutes after. */
const RESTART_SHARE = 0.1;
const RESTARTS_FOR_MS = 220_000;
const DOWN_MS = 1000;
/** One machine in so many is not switched off. */
const STAYS = 20;
/** Back for so long before the last replays. */
const BACK_MS = 30_000;
/** Longer than a forwarder works on an envelope (PROTOCOL §7.6: 30 s): what it sends later it has begun anew. */
const DONE_MS = 35_000;
const CLOCK_OFF_MS = 40_000;

type Machine = SimNode | SimRelay;
/** When a machine last sent an envelope on, and in which of its lives. */
type Forward = { life: number; lastMs: number };
/** A frame's body as it was opened, and who has had it. */
type Captured = {
  readonly kind: number;
  readonly body: Uint8Array;
  readonly carriers: Set<Machine>;
  readonly forwards: Map<Machine, Forward>;
};

type Scene = {
  readonly fleet: Fleet;
  readonly attackers: readonly Attacker[];
  readonly machines: Map<NodeId, Machine>;
  readonly captured: Map<string, Captured>;
  readonly again: { byCarrier: number; afterRestart: number; sent: number };
  isCapturing: boolean;
};

export function replay({ nodes, seed, crypto, messages, progress }: CellOptions): Outcome {
  let scene: Scene | undefined;
  const spy = (self: () => NodeId): CryptoTap =>
    watchPlaintexts({
      opened: (_peer, plaintext) => scene?.isCapturing && capture(scene, self(), plaintext),
      sealing: (_peer, plaintext) => scene !== undefined && noteForwards(scene, self(), plaintext),
    });
  const fleet = createFleet({ nodes, seed, crypto, progress, loss: LOSS, tap: spy, relayTap: spy });
  const { world, random, ledger } = fleet;
  const broadcasts = new BroadcastCount(fleet);
  world.run(MODEL.joinMs + MODEL.warmUpMs);
  const machines = new Map<NodeId, Machine>([...fleet.relays, ...fleet.nodes].map((machine) => [machine.id, machine]));
  const attackers = Array.from({ length: ATTACKERS }, () => new Attacker(world));
  const connectAttackers = () => {
    for (const attacker of attackers) {
      for (let i = 0; i < LINKS_OF_ATTACKER; i += 1) {
        const { id, place } = pick(random, [...machines.values()]);
        attacker.connect({ id, address: place.address });
      }
    }
  };
  connectAttackers();
  for (const machine of machines.values())
    machine.clock.offsetMs = Math.round((random.fraction() - 0.5) * CLOCK_OFF_MS);
  world.run(LINKING_MS);
  const again = { byCarrier: 0, afterRestart: 0, sent: 0 };
  scene = { fleet, attackers, machines, captured: new Map(), again, isCapturing: true };
  captureDatagrams(scene);
  const runMs = (messages / (nodes * RATE)) * 1000;
  const beginMs = world.queue.nowMs;
  restartNow(scene, world.queue.nowMs + runMs + RESTARTS_FOR_MS);
  sendRandomly(fleet, messages, runMs);
  for (let i = 0; i < BROADCASTS; i += 1) {
    world.queue.at(world.queue.nowMs + (i / BROADCASTS) * runMs, () => broadcasts.send(i));
  }
  world.run(runMs + 30_000);
  scene.isCapturing = false;
  world.network.watch = undefined;
  world.run(Math.max(...AGES_MS));
  const quietMs = LAST_AGE_MS - (world.queue.nowMs - beginMs) - BACK_MS;
  const asleep = [...machines.values()].filter((_, i) => i % STAYS !== 0);
  for (const [i, machine] of asleep.entries()) switchOff(scene, machine, i % 2 === 0 ? "kill" : "close");
  world.run(quietMs);
  for (const machine of asleep) switchOn(scene, machine);
  world.run(BACK_MS - LINKING_MS);
  connectAttackers();
  world.run(LINKING_MS + runMs + 40_000);
  const { delivered = Number.NaN } = unicastFigures(fleet, ledger.messages);
  const deliveredAgain = ledger.messages.reduce((sum, { deliveries }) => sum + Math.max(0, deliveries - 1), 0);
  return {
    fleet,
    figures: {
      messages: ledger.messages.length,
      delivered,
      envelopes: scene.captured.size,
      replays: again.sent,
      deliveredAgain: deliveredAgain + broadcasts.inOneLife + broadcasts.afterRestart,
      broadcastsAgainInOneLife: broadcasts.inOneLife,
      broadcastsAgainAfterRestart: broadcasts.afterRestart,
      forwardedAgainByCarrier: again.byCarrier,
      forwardedAgainAfterRestart: again.afterRestart,
      forwards: [...scene.captured.values()].reduce((sum, { forwards }) => sum + forwards.size, 0),
      attackerLinks: attackers.reduce((sum, { linked }) => sum + linked.size, 0),
    },
  };
}

function capture(scene: Scene, self: NodeId, plaintext: Uint8Array): void {
  const machine = scene.machines.get(self);
  if (machine === undefined) return;
  eachFrame(plaintext, (kind, start, end) => {
    const isSend = kind === FRAME_KIND.send && end - start >= SEND_MIN_BYTES;
    if (!isSend && kind !== FRAME_KIND.publish) return;
    const body = plaintext.subarray(start, end);
    const key = isSend ? bytesKey(body, SEND_LOCK) : Buffer.from(body.subarray(2)).toString("latin1");
    let captured = scene.captured.get(key);
    if (captured === undefined) {
      const copy = body.slice();
      // As if its author had just sent it.
      copy[0] = 0;
      copy[1] = 0;
      captured = { kind, body: copy, carriers: new Set(), forwards: new Map() };
      scene.captured.set(key, captured);
      const { queue } = scene.fleet.world;
      const again = captured;
      for (const ageMs of [...AGES_MS, LAST_AGE_MS]) queue.at(queue.nowMs + ageMs, () => sendAgain(scene, again));
    }
    captured.carriers.add(machine);
  });
}

/** To its recipient and to one who carried it, where an attacker has a link to them, and to one machine by chance. */
function sendAgain({ fleet, attackers, again }: Scene, { kind, body, carriers }: Captured): void {
  const wanted = new Set<NodeId>([...carriers].map(({ id }) => id));
  if (kind === FRAME_KIND.send) {
    const recipient = body.slice(SEND_RECIPIENT, SEND_RECIPIENT + 32);
    wanted.add(Buffer.from(recipient).toString("hex") as NodeId);
  }
  for (const attacker of attackers) {
    for (const peer of wanted) {
      if (!attacker.linked.has(peer)) continue;
      attacker.say(peer, { kind, body });
      again.sent += 1;
    }
  }
  const attacker = pick(fleet.random, attackers);
  const linked = [...attacker.linked];
  if (linked.length === 0) return;
  attacker.say(pick(fleet.random, linked), { kind, body });
  again.sent += 1;
}

/** Who sends an envelope on, and whether it has done so before. */
function noteForwards({ fleet, machines, captured, again }: Scene, self: NodeId, plaintext: Uint8Array): void {
  const machine = machines.get(self);
  if (machine === undefined) return;
  eachFrame(plaintext, (kind, start, end) => {
    if (kind !== FRAME_KIND.send || end - start < SEND_MIN_BYTES) return;
    const known = captured.get(bytesKey(plaintext, start + SEND_LOCK));
    if (known === undefined) return;
    const { nowMs } = fleet.world.queue;
    const before = known.forwards.get(machine);
    if (before !== undefined && before.life !== machine.lives) again.afterRestart += 1;
    else if (before !== undefined && before.lastMs + DONE_MS < nowMs) again.byCarrier += 1;
    known.forwards.set(machine, { life: machine.lives, lastMs: nowMs });
  });
}

function captureDatagrams({ fleet, attackers }: Scene): void {
  const { network, queue } = fleet.world;
  const attacking = new Set(attackers.map(({ place }) => place));
  let kept = 0;
  network.watch = ({ from, source, to, datagram }) => {
    if (kept >= DATAGRAMS_KEPT || attacking.has(from)) return;
    kept += 1;
    const copy = datagram.slice();
    for (const ageMs of DATAGRAM_AGES_MS) {
      queue.at(queue.nowMs + ageMs, () => network.forge(source, to, copy));
    }
  };
}

function switchOff({ fleet }: Scene, machine: Machine, how: "kill" | "close"): void {
  if ("disk" in machine) stop(fleet, machine, how);
  else if (how === "kill") machine.kill();
  else machine.close();
}

function switchOn({ fleet }: Scene, machine: Machine): void {
  if ("disk" in machine) restart(fleet, machine);
  else machine.start();
}

function restartNow(scene: Scene, untilMs: number): void {
  const { machines } = scene;
  const { world, random } = scene.fleet;
  const all = [...machines.values()];
  const next = () => {
    const atMs = world.queue.nowMs + (60_000 / (all.length * RESTART_SHARE)) * 2 * random.fraction();
    if (atMs > untilMs) return;
    world.queue.at(atMs, () => {
      const machine = pick(random, all);
      switchOff(scene, machine, "kill");
      world.queue.at(world.queue.nowMs + DOWN_MS, () => switchOn(scene, machine));
      next();
    });
  };
  next();
}

/** Broadcasts, and how often one came to a program that had it. */
class BroadcastCount {
  inOneLife = 0;
  afterRestart = 0;
  readonly #fleet: Fleet;
  readonly #lifeOf = new Map<string, number>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    fleet.onOutput = (node, output) => {
      if (output.type !== "deliver-broadcast") return;
      const key = `${node.index} ${output.message.messageId}`;
      const life = this.#lifeOf.get(key);
      if (life === node.lives) this.inOneLife += 1;
      else if (life !== undefined) this.afterRestart += 1;
      this.#lifeOf.set(key, node.lives);
    };
  }

  send(index: number): void {
    const node = pick(this.#fleet.random, this.#fleet.nodes);
    const content = new TextEncoder().encode(`broadcast ${index}`);
    node.feed({ type: "broadcast", id: `broadcast ${index}`, content, topic: "replay" });
  }
}
