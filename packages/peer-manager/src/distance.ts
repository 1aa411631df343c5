import type { NodeId } from "@starling/crypto-identity";

// XOR distance over NodeIds read as big-endian integers over the hex as written (PROTOCOL §2.1). Hex digits are compared
// directly: no bytes are made, and the order is that of the integers.

/** Negative where `a` is closer to `target` than `b`, zero where they are the same id. */
export function compareDistance(target: NodeId, a: NodeId, b: NodeId): number {
  for (let i = 0; i < target.length; i += 1) {
    const t = digit(target, i);
    const difference = (t ^ digit(a, i)) - (t ^ digit(b, i));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether `a` is closer to the target than `than` is, by XOR; false where they are the same. */
export function isCloser(target: NodeId, a: NodeId, than: NodeId): boolean {
  return compareDistance(target, a, than) < 0;
}

/** Index of the highest bit in which two ids differ, 0 to 255; -1 for the same id. The bucket of `b` in the table of `a`. */
export function bucketIndex(a: NodeId, b: NodeId): number {
  for (let i = 0; i < a.length; i += 1) {
    const difference = digit(a, i) ^ digit(b, i);
    if (difference !== 0) return 255 - (4 * i + Math.clz32(difference) - 28);
  }
  return -1;
}

/** Ids ordered from the closest to `target` on; a new array. */
export function sortByDistance<T extends { readonly id: NodeId }>(target: NodeId, entries: Iterable<T>): T[] {
  return [...entries].sort((a, b) => compareDistance(target, a.id, b.id));
}

function digit(id: NodeId, index: number): number {
  const code = id.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}

/** The `count` entries closest to `target` that pass, from the closest on: one pass, no sort of all. */
export function closestOf<T extends { readonly id: NodeId }>(
  target: NodeId,
  entries: Iterable<T>,
  count: number,
  passes: (entry: T) => boolean = () => true,
): T[] {
  const closest: T[] = [];
  for (const entry of entries) {
    const last = closest.length < count ? undefined : closest[count - 1];
    if (last !== undefined && !isCloser(target, entry.id, last.id)) continue;
    if (!passes(entry)) continue;
    let at = closest.length;
    while (at > 0 && isCloser(target, entry.id, (closest[at - 1] as T).id)) at -= 1;
    closest.splice(at, 0, entry);
    if (closest.length > count) closest.pop();
  }
  return closest;
}

/** Logarithm to base 2 of the distance, exact to about 2^-40; -Infinity for the same id. For weighing distances. */
export function distanceLog2(a: NodeId, b: NodeId): number {
  for (let i = 0; i < a.length; i += 1) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue;
    let leading = 0;
    for (let j = i; j < i + 10; j += 1) leading = leading * 16 + (j < a.length ? digit(a, j) ^ digit(b, j) : 0);
    return Math.log2(leading) + 4 * (a.length - i - 10);
  }
  return Number.NEGATIVE_INFINITY;
}
