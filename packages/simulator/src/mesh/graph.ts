import type { Point } from "../latency.ts";
import type { SeededRandom } from "../seeded-random.ts";

// Who is linked to whom, where nodes are numbers: by the rules of membership (PROTOCOL §6), or at random.

const ANCHORS = 4;
const CANDIDATES = 10;
const BOOTSTRAPS = 3;
const MAX_NEIGHBOURS = 64;
const KEY_BITS = 30;

export type Overlay = {
  readonly links: Set<number>[];
  /** Whom a node links to in place of a neighbour that it lost, if anybody. */
  replacement(node: number, lost: number): number | undefined;
  /** Whom a node links to that has just started. */
  wanted(node: number): number[];
};

/**
 * Each node links to its four closest by XOR of those that strangers can reach, and in each bucket to the nearest of ten; some to a
 * few bootstrap relays besides. Nobody takes more than 64.
 */
export function overlayGraph(options: {
  readonly points: readonly Point[];
  readonly random: SeededRandom;
  readonly relays: number;
  readonly natShare: number;
  readonly isUp: (node: number) => boolean;
}): Overlay {
  const { points, random, relays, natShare, isUp } = options;
  const count = points.length;
  const keys = points.map(() => random.integer(2 ** KEY_BITS));
  const isReachable = points.map((_, node) => node < relays || random.fraction() >= natShare);
  const reachable = points.flatMap((_, node) => (isReachable[node] ? [node] : [])).sort((a, b) => key(a) - key(b));
  const links = points.map(() => new Set<number>());

  function key(node: number): number {
    return keys[node] as number;
  }
  function distance(a: number, b: number): number {
    return key(a) ^ key(b);
  }
  function far(a: number, b: number): number {
    const [p, q] = [points[a] as Point, points[b] as Point];
    return Math.hypot(p.x - q.x, p.y - q.y);
  }
  /** Where the keys from this one on begin in `reachable`. */
  function firstFrom(least: number): number {
    let [low, high] = [0, reachable.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (key(reachable[middle] as number) < least) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** The reachable nodes of a bucket: those whose keys share all bits above this one and differ in it. */
  function bucket(node: number, bit: number): number[] {
    const start = ((key(node) >>> bit) ^ 1) * 2 ** bit;
    return reachable.slice(firstFrom(start), firstFrom(start + 2 ** bit));
  }
  function nearestOf(node: number, from: readonly number[]): number | undefined {
    const usable = from.filter((other) => other !== node && isUp(other) && !links[node]?.has(other));
    const sampled: number[] = [];
    while (sampled.length < CANDIDATES && usable.length > 0) {
      sampled.push(...usable.splice(random.integer(usable.length), 1));
    }
    return sampled.sort((a, b) => far(node, a) - far(node, b))[0];
  }
  function anchors(node: number): number[] {
    const closest: number[] = [];
    for (let bit = 0; bit < KEY_BITS && closest.length < ANCHORS; bit += 1) {
      const found = bucket(node, bit).filter((other) => isUp(other));
      closest.push(...found.sort((a, b) => distance(node, a) - distance(node, b)).slice(0, ANCHORS - closest.length));
    }
    return closest;
  }
  function wanted(node: number): number[] {
    const chosen = new Set(anchors(node));
    const buckets = new Set([...chosen].map((other) => 31 - Math.clz32(distance(node, other))));
    for (let bit = 0; bit < KEY_BITS; bit += 1) {
      if (buckets.has(bit)) continue;
      const nearest = nearestOf(node, bucket(node, bit));
      if (nearest !== undefined) chosen.add(nearest);
    }
    return [...chosen];
  }
  function link(a: number, b: number): void {
    const [mine, its] = [links[a], links[b]];
    if (a === b || mine === undefined || its === undefined) return;
    if (mine.size >= MAX_NEIGHBOURS || its.size >= MAX_NEIGHBOURS) return;
    mine.add(b);
    its.add(a);
  }

  for (let node = 0; node < count; node += 1) {
    for (let i = 0; i < BOOTSTRAPS && relays > 0; i += 1) link(node, random.integer(relays));
    for (const other of wanted(node)) link(node, other);
  }
  return {
    links,
    wanted,
    replacement(node, lost) {
      const bit = 31 - Math.clz32(distance(node, lost));
      return nearestOf(node, bucket(node, bit)) ?? anchors(node).find((other) => !links[node]?.has(other));
    },
  };
}

/** Each node linked to `degree` others at random (one fewer where the last pairs do not match). */
export function regularGraph(count: number, degree: number, random: SeededRandom): Set<number>[] {
  const links = Array.from({ length: count }, () => new Set<number>());
  for (let round = 0; round < degree * 20; round += 1) {
    const open = links.flatMap((own, node) => Array.from({ length: degree - own.size }, () => node));
    if (open.length < 2) break;
    for (let i = open.length - 1; i > 0; i -= 1) {
      const j = random.integer(i + 1);
      [open[i], open[j]] = [open[j] as number, open[i] as number];
    }
    for (let i = 0; i + 1 < open.length; i += 2) {
      const [a, b] = [open[i] as number, open[i + 1] as number];
      if (a === b || links[a]?.has(b)) continue;
      links[a]?.add(b);
      links[b]?.add(a);
    }
  }
  return links;
}
