// Effort is the expected number of hashes, claimed in the stamp. h, the first 64 bits of the hash, satisfies it iff
// h <= floor(2^64 / effort), which for integers is h * effort <= 2^64.

/** Effort is an unsigned 48-bit integer on the wire. */
export const MAX_EFFORT: number = 2 ** 48 - 1;

/** Floors, in hashes for each 512 bytes begun (PROTOCOL §7.4). */
export const SEND_FLOOR: number = 2 ** 14;
/** Least effort of a broadcast, in expected hashes for each 512 bytes begun (docs/PROTOCOL.md §7.4). */
export const PUBLISH_FLOOR: number = 2 ** 16;
export const FLOOR_SIZE_BYTES = 512;

export function isEffort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_EFFORT;
}

/** The greatest value of the first 32 bits with which a hash can still satisfy `effort`; unsigned. */
export function highTarget(effort: number): number {
  return Math.min(Math.floor(2 ** 32 / effort), 2 ** 32 - 1);
}

/**
 * Whether a hash whose first words are `high` and `low` satisfies `effort`. Exact: no integer here reaches 2^53, where a
 * JavaScript number would begin to round and let a stamp pass at one node and fail at another.
 */
export function satisfies(high: number, low: number, effort: number): boolean {
  const highWord = high >>> 0;
  const lowWord = low >>> 0;
  // high * effort <= 2^32 must hold in any case, and keeps every product below small.
  if (highWord > Math.floor(2 ** 32 / effort)) return false;
  // h * effort <= 2^64  <=>  low * effort <= room * 2^32
  const room = 2 ** 32 - highWord * effort;
  // low * effort has up to 80 bits: multiply by 16 bits of the effort at a time, carrying upward.
  const first = lowWord * (effort % 2 ** 16);
  const second = lowWord * (Math.floor(effort / 2 ** 16) % 2 ** 16) + Math.floor(first / 2 ** 16);
  const upper = lowWord * Math.floor(effort / 2 ** 32) + Math.floor(second / 2 ** 16);
  if (upper !== room) return upper < room;
  // Exactly 2^64 is reached by a power of two alone, and with one both of these are 0.
  return first === 0 && second === 0;
}
