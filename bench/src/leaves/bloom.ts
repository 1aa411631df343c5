import { randomBytes } from "node:crypto";
import { BloomFilter, ScalableBloomFilter } from "@starling/bloom";
import { type Figure, median, number } from "../figure.ts";
import { type Candidate, race, ratios } from "../race.ts";
import { versionOf } from "../version-of.ts";
import { makeIds, theoryBytes } from "./bloom-ids.ts";
import { bloomFiltersPeer, bloomFiltersXxhashPeer, bloomfilterPeer, type Remembering, setPeer } from "./bloom-peers.ts";

// The filters of @starling/bloom with a million ids: how often they are wrong, how large they are, and how fast, beside other ways
// to remember. A round of adding is a new filter filled once; one of misses asks a full one for ids that it never saw.

const ITEMS = 1_000_000;
/** For a peer of a tenth of a megahertz. It then works in the cache, which flatters it. */
const SLOW_PEER_ITEMS = 20_000;
const ROUNDS = 5;
/** For what is told and not judged. */
const TOLD_ROUNDS = 3;
const ROUND_MS = 100;
const SCALING = { initialCapacity: 16_384, maxCapacity: 4 * ITEMS };

type Core = {
  readonly sliceSize: (capacity: number, errorRate: number) => object;
  readonly BitSlice: new (size: object) => { add(hash: Int32Array): boolean; has(hash: Int32Array): boolean };
};
/** Not for users: no filter without a key is exported. */
const core: Core = await import(new URL("../../../packages/bloom/src/bit-slice.ts", import.meta.url).href);

export async function bloom(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const added = makeIds(ITEMS);
  const strangers = makeIds(ITEMS);
  const steps = 2 * (2 * ROUNDS + TOLD_ROUNDS + 2);
  let done = 0;
  const step = (): void => progress(++done, steps);
  const figures: Figure[] = [];
  for (const errorRate of [0.01, 0.001]) {
    figures.push(...measureSize(errorRate, added, strangers, step));
    figures.push(...(await measureSpeed(errorRate, added, strangers, step)));
  }
  return figures;
}

function measureSize(errorRate: number, added: Buffer[], strangers: Buffer[], step: () => void): Figure[] {
  const at = `at ${100 * errorRate} %`;
  const theory = theoryBytes(ITEMS, errorRate);
  const fixedRate: number[] = [];
  const scalableRate: number[] = [];
  let fixedBytes = 0;
  let scalableBytes = 0;
  let worstBytes = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const fixed = new BloomFilter({ capacity: ITEMS, errorRate, key: randomBytes(16) });
    const scalable = new ScalableBloomFilter({ ...SCALING, errorRate, key: randomBytes(16) });
    addAll(fixed, added);
    addAll(scalable, added);
    fixedRate.push(foundOf(fixed, strangers) / errorRate);
    scalableRate.push(foundOf(scalable, strangers) / errorRate);
    fixedBytes = fixed.sizeBytes;
    scalableBytes = scalable.sizeBytes;
    if (round === 0) worstBytes = growOnce(scalable) / theoryBytes(scalable.count, errorRate);
    step();
  }
  return [
    {
      name: `bloom ${at}: false positives, to the rate asked for`,
      unit: "x",
      samples: fixedRate,
      target: { atMost: 1.1 },
    },
    { name: `bloom ${at}: bytes, to theory`, unit: "x", samples: [fixedBytes / theory], target: { atMost: 1.05 } },
    {
      name: `bloom ${at}, scalable from 16,384: false positives`,
      unit: "x",
      samples: scalableRate,
      target: { atMost: 1.1 },
    },
    {
      name: `bloom ${at}, scalable: bytes, to theory`,
      unit: "x",
      samples: [scalableBytes / theory],
      target: { atMost: 2 },
    },
    { name: `bloom ${at}, scalable: bytes at the worst, just after it grew`, unit: "x", samples: [worstBytes] },
  ];
}

async function measureSpeed(
  errorRate: number,
  added: Buffer[],
  strangers: Buffer[],
  step: () => void,
): Promise<Figure[]> {
  const at = `at ${100 * errorRate} %`;
  const keyed: Way = {
    label: "the keyed filter",
    items: ITEMS,
    create: () => new BloomFilter({ capacity: ITEMS, errorRate, key: randomBytes(16) }),
  };
  const peer = `${versionOf("bloom-filters")} with ${number(SLOW_PEER_ITEMS)} ids`;

  const judge = async (rounds: number, rivals: readonly Way[]): Promise<Figure[]> => {
    const candidates: Record<string, Candidate> = {};
    // The two sides of a ratio stand next to each other.
    for (const verb of ["add", "miss"] as const) {
      for (const way of [keyed, ...rivals]) candidates[`${verb} ${way.label}`] = candidate(way, verb, added, strangers);
    }
    const { rates } = await race(candidates, { rounds, roundMs: ROUND_MS, progress: step });
    return (["add", "miss"] as const).flatMap((verb) =>
      rivals.map(({ label, atLeast }) => {
        const ours = rates[`${verb} ${keyed.label}`] ?? [];
        const theirs = rates[`${verb} ${label}`] ?? [];
        const target = atLeast?.[verb];
        return {
          name: `bloom ${at}: keyed ${verb}, to ${label}`,
          unit: "x",
          samples: ratios(ours, theirs),
          ...(target === undefined ? {} : { target: { atLeast: target } }),
          ours: `${number(median(ours) / 1e6)} M/s`,
          peer: `${number(median(theirs) / 1e6)} M/s`,
        };
      }),
    );
  };
  return [
    ...(await judge(ROUNDS, [
      {
        label: peer,
        items: SLOW_PEER_ITEMS,
        create: () => bloomFiltersPeer(SLOW_PEER_ITEMS, errorRate),
        atLeast: { add: 60, miss: 60 },
      },
      { label: "a Set of strings made of the ids", items: ITEMS, create: setPeer, atLeast: { add: 1.4 } },
    ])),
    ...(await judge(TOLD_ROUNDS, [
      {
        label: `${peer} and ${versionOf("xxhash-wasm")} put into it`,
        items: SLOW_PEER_ITEMS,
        create: () => bloomFiltersXxhashPeer(SLOW_PEER_ITEMS, errorRate),
      },
      { label: versionOf("bloomfilter"), items: ITEMS, create: () => bloomfilterPeer(ITEMS, errorRate) },
      { label: "its own core without key or hash", items: ITEMS, create: () => unkeyedCore(errorRate) },
      {
        label: "the scalable filter from 16,384",
        items: ITEMS,
        create: () => new ScalableBloomFilter({ ...SCALING, errorRate, key: randomBytes(16) }),
      },
    ])),
  ];
}

type Way = {
  readonly label: string;
  readonly items: number;
  readonly create: () => Remembering;
  readonly atLeast?: { readonly add?: number; readonly miss?: number };
};

function candidate({ items, create }: Way, verb: "add" | "miss", added: Buffer[], strangers: Buffer[]): Candidate {
  const own = added.slice(0, items);
  if (verb === "add") return { operations: items, run: () => addAll(create(), own) };
  const full = create();
  addAll(full, own);
  const others = strangers.slice(0, items);
  return { operations: items, run: () => foundOf(full, others) };
}

/** The positions of the first eight bytes of an id as they stand: what a filter does that trusts its ids to be random. */
function unkeyedCore(errorRate: number): Remembering {
  const slice = new core.BitSlice(core.sliceSize(ITEMS, errorRate));
  const words = new Int32Array(2);
  const wordsOf = (id: Buffer): Int32Array => {
    words[0] = id.readInt32LE(0);
    words[1] = id.readInt32LE(4);
    return words;
  };
  return { add: (id) => slice.add(wordsOf(id)), has: (id) => slice.has(wordsOf(id)) };
}

function addAll(filter: Remembering, ids: readonly Buffer[]): void {
  for (const id of ids) filter.add(id);
}

/** The part of the ids that is found. */
function foundOf(filter: Remembering, ids: readonly Buffer[]): number {
  let found = 0;
  for (const id of ids) found += filter.has(id) ? 1 : 0;
  return found / ids.length;
}

/** Adds until it has one slice more. */
function growOnce(filter: ScalableBloomFilter): number {
  const before = filter.sizeBytes;
  while (filter.sizeBytes === before) filter.add(randomBytes(8));
  return filter.sizeBytes;
}
