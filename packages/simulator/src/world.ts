import type { Identity } from "@starling/crypto-identity";
import { generateIdentity } from "@starling/crypto-identity";
import type { NodeCoreOptions, RelayCoreOptions } from "@starling/node-core";
import { NodeCore, RelayCore } from "@starling/node-core";
import type { SessionCrypto } from "@starling/session";
import { createSessionCrypto } from "@starling/session";
import type { Address } from "@starling/wire-protocol";
import type { CryptoTap } from "./crypto-tap.ts";
import { EventQueue } from "./event-queue.ts";
import { planeLatency, uniformLatency } from "./latency.ts";
import type { Clock } from "./life.ts";
import { SimNode, SimRelay } from "./machine.ts";
import { Nat, type NatKind } from "./nat.ts";
import { type Bursts, Network, type Place } from "./network.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { seededRandom } from "./seeded-random.ts";
import { createStandInCrypto } from "./stand-in/session-crypto.ts";
import { VirtualRtc } from "./virtual-rtc.ts";

// A world of the shipped cores under virtual time. Nothing of them is replaced but what the driver would do: the network, the
// clock, chance, the minting worker, WebRTC and the disk; and, where `crypto` says so, the session's cryptography.

export type WorldOptions = {
  readonly seed: number;
  readonly network?: string;
  /** One way, uniform between the two; without it hosts have places, and latency follows distance. */
  readonly latencyMs?: readonly [least: number, most: number];
  readonly loss: number;
  readonly duplication: number;
  readonly bursts?: Bursts;
  /** Default "real". */
  readonly crypto?: "real" | "stand-in";
  /** Least effort of every stamp; without it the shipped floors. */
  readonly floor?: number;
  /** Of each minting worker; without it what the shipped kernel was taken for. */
  readonly hashesPerMs?: number;
  /** Whether SimNode.outputs is filled; default true. */
  readonly keepsOutputs?: boolean;
  /** Told now and then how far a long run has come. */
  readonly progress?: Progress | undefined;
};

export type Progress = (virtualMs: number, events: number) => void;

export type HostOptions = {
  readonly tap?: CryptoTap | undefined;
  readonly nat?: NatKind | undefined;
  readonly address?: Address | undefined;
  /** Keys are drawn until one begins so: bits of its id. */
  readonly idBegins?: string | undefined;
};

export type Prepared = {
  readonly parts: {
    readonly index: number;
    readonly identity: Identity;
    readonly place: Place;
    readonly clock: Clock;
    readonly queue: EventQueue;
    readonly network: Network;
  };
  readonly networkName: string;
  readonly random: SeededRandom;
  /** Made anew for each life. */
  readonly sessionCrypto: () => SessionCrypto;
};

const PORT = 4000;
const CHANNEL_LATENCY_MS = 20;
const PROGRESS_EVENTS = 10_000;

export class World {
  readonly queue: EventQueue = new EventQueue();
  readonly network: Network;
  readonly rtc: VirtualRtc;
  /** Look at a machine's core after each of its steps; set before machines are added. */
  afterRelayStep: ((relay: SimRelay) => void) | undefined;
  afterNodeStep: ((node: SimNode) => void) | undefined;
  readonly #random: SeededRandom;
  readonly #options: WorldOptions;
  readonly #name: string;
  #hosts = 0;

  constructor(options: WorldOptions) {
    const { seed, network = "simulated", latencyMs, loss, duplication, bursts } = options;
    this.#options = options;
    this.#random = seededRandom(seed);
    this.#name = network;
    const latency = latencyMs === undefined ? planeLatency() : uniformLatency(...latencyMs);
    const conditions = { latency, loss, duplication, ...(bursts && { bursts }) };
    this.network = new Network(this.queue, this.#random.fork(), conditions);
    const [least] = latencyMs ?? [CHANNEL_LATENCY_MS];
    this.rtc = new VirtualRtc(this.queue, () => least);
  }

  addRelay(options: Partial<RelayCoreOptions> = {}, host: HostOptions | CryptoTap = {}): SimRelay {
    const { parts, common } = this.#host(host);
    const announce = [parts.place.address];
    const { afterRelayStep: afterStep } = this;
    return new SimRelay({
      ...parts,
      afterStep,
      boot: (now) => new RelayCore({ ...common(), announce, ...options }, now),
    });
  }

  addNode(options: Partial<NodeCoreOptions> = {}, host: HostOptions | CryptoTap = {}): SimNode {
    const { parts, common } = this.#host(host);
    const { keepsOutputs = true, hashesPerMs } = this.#options;
    return new SimNode({
      ...parts,
      rtc: this.rtc,
      keepsOutputs,
      hashesPerMs,
      afterStep: this.afterNodeStep,
      boot: (now, disk) => {
        const { waiting, delivered, peers: saved } = disk;
        const freshnessBoundMs = disk.freshnessBoundMs(now.wall);
        return new NodeCore({ ...common(), waiting, delivered, saved, freshnessBoundMs, ...options }, now);
      },
    });
  }

  /** Lets virtual time pass until `done` holds; false where it did not within `withinMs`. */
  runUntil(done: () => boolean, withinMs: number): boolean {
    const untilMs = this.queue.nowMs + withinMs;
    while (!done()) if (!this.queue.step(untilMs)) return false;
    return true;
  }

  run(forMs: number): void {
    const untilMs = this.queue.nowMs + forMs;
    const { progress } = this.#options;
    while (this.queue.step(untilMs)) {
      if (this.queue.count % PROGRESS_EVENTS === 0) progress?.(this.queue.nowMs, this.queue.count);
    }
  }

  /** Chance for a scenario of its own. */
  forkRandom(): SeededRandom {
    return this.#random.fork();
  }

  /** A place on the network with nobody there yet, each in a /24 of its own unless `address` says where. */
  place(nat: NatKind = "none", address?: Address): Place {
    const index = this.#hosts;
    this.#hosts += 1;
    const point = { x: this.#random.fraction(), y: this.#random.fraction() };
    const own: Address = { ip: `${20 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}.9`, port: PORT };
    const place: Place = {
      address: address ?? own,
      point,
      nat: nat === "none" ? undefined : new Nat(nat, this.#random.integer(40_000)),
      side: index & 1,
      isBad: false,
      receiver: undefined,
    };
    this.network.add(place);
    return place;
  }

  /** A machine with nothing on it yet, for what is no relay and no node. */
  prepare({ tap = (real) => real, nat, address, idBegins = "" }: HostOptions = {}): Prepared {
    const index = this.#hosts;
    const place = this.place(nat, address);
    const random = this.#random.fork();
    let identity = generateIdentity(random.bytes);
    while (!bitsOf(identity.id).startsWith(idBegins)) identity = generateIdentity(random.bytes);
    const clock: Clock = { offsetMs: 0 };
    const network = this.#name;
    const crypto = () =>
      this.#options.crypto === "stand-in"
        ? createStandInCrypto({ id: identity.id, network, random: random.bytes })
        : createSessionCrypto({ identity, network, random: random.bytes });
    const parts = { index, identity, place, clock, queue: this.queue, network: this.network };
    return { parts, networkName: network, random, sessionCrypto: () => tap(crypto()) };
  }

  #host(host: HostOptions | CryptoTap) {
    const prepared = this.prepare(typeof host === "function" ? { tap: host } : host);
    const { floor } = this.#options;
    // Each life has tables of its own.
    const common = () => ({
      identity: prepared.parts.identity,
      network: this.#name,
      bootstrap: [],
      announce: [],
      maxNeighbours: 256,
      random: prepared.random.bytes,
      crypto: prepared.sessionCrypto(),
      ...(floor !== undefined && { floor: () => floor, publishFloor: () => floor }),
    });
    return { parts: prepared.parts, common };
  }
}

/** The first 16 bits. */
function bitsOf(id: string): string {
  return Number.parseInt(id.slice(0, 4), 16).toString(2).padStart(16, "0");
}
