import { PUBLISH_FLOOR, SEND_FLOOR } from "@starling/hashcash";
import { DEFAULT_FORWARD_LIMITS } from "@starling/node-core";
import type { Contact } from "@starling/wire-protocol";
import type { SimNode, SimRelay } from "../machine.ts";
import { World } from "../world.ts";

// Relays in a row that carry few messages a second, with eleven or twelve relays before each that carry as many as they like: its
// ingress links. Behind those are authors. All are the shipped cores; what they dial is what they are configured with.
//
//   authors ─ 12 ingress relays ─▶ C1 ─▶ C2 ─▶ C3 ─ recipients of what goes all the way
//                11 of its own, authors ─┘      └─ 11 of its own, authors;      each also has a recipient next to it

/** Everything costs a 1024th of what it does: hashes are real, and their number is what a run costs. */
export const SCALE = 1024;
export const FLOOR: number = SEND_FLOOR / SCALE;
const FLOORS = {
  floor: (sizeBytes: number) => FLOOR * Math.max(1, Math.ceil(sizeBytes / 512)),
  publishFloor: (sizeBytes: number) => (PUBLISH_FLOOR / SCALE) * Math.max(1, Math.ceil(sizeBytes / 512)),
};
export const LINKS = 12;
const AUTHORS_PER_LINK = 10;
const JOIN_MS = 20_000;
/** Ids are such that each relay of the row is nearer to whatever lies behind it than what comes before. */
const INGRESS_BEGINS = "00";
const ROW_BEGINS = ["01", "10", "110"];
export const RECIPIENT_BEGINS = "111";

export type Stage = {
  readonly relay: SimRelay;
  readonly ingress: readonly SimRelay[];
  /** Of each ingress relay. */
  readonly authors: readonly (readonly SimNode[])[];
  /** Next to the relay. */
  readonly recipient: SimNode;
};

export type Town = { readonly world: World; readonly stages: readonly Stage[] };

export type TownOptions = {
  readonly seed: number;
  readonly hops: number;
  readonly budget: number;
  readonly hashesPerMs: number;
};

/** All have joined. */
export function createTown({ seed, hops, budget, hashesPerMs }: TownOptions): Town {
  const world = new World({
    seed,
    loss: 0,
    duplication: 0,
    latencyMs: [20, 30],
    keepsOutputs: false,
    hashesPerMs: hashesPerMs / SCALE,
  });
  const total = { ...DEFAULT_FORWARD_LIMITS.total, messagesPerSecond: budget };
  const addRelay = (bootstrap: readonly Contact[], idBegins: string, quota = {}) =>
    world.addRelay({ bootstrap, passive: true, quota, ...FLOORS }, { idBegins });
  const addNode = (bootstrap: readonly Contact[], idBegins = "") =>
    world.addNode({ bootstrap, passive: true, maxChannels: 0, ...FLOORS }, { idBegins });
  const stages: Stage[] = [];
  // From the last of the row: each dials the next.
  for (let hop = hops - 1; hop >= 0; hop -= 1) {
    const next = stages[0]?.relay;
    const relay = addRelay(next === undefined ? [] : [next.contact], ROW_BEGINS[hop] as string, { total });
    const recipient = addNode([relay.contact], RECIPIENT_BEGINS);
    recipient.feed({ type: "listening", on: true });
    const ingress = Array.from({ length: hop === 0 ? LINKS : LINKS - 1 }, () =>
      addRelay([relay.contact], INGRESS_BEGINS),
    );
    const authors = ingress.map(({ contact }) => Array.from({ length: AUTHORS_PER_LINK }, () => addNode([contact])));
    stages.unshift({ relay, recipient, ingress, authors });
  }
  world.run(JOIN_MS);
  for (const { relay, ingress, authors } of stages) {
    const isJoined = ingress.every(({ id }) => relay.core.session(id) !== undefined);
    const hasAuthors = authors.flat().every(({ core }) => core.neighbours().length === 1);
    if (!isJoined || !hasAuthors) throw new Error("not everybody has joined");
  }
  return { world, stages };
}
