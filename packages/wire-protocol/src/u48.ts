// Integers of 48 bits in plain bytes, for frames that are read and written by the hundred thousand a second: a DataView made for
// each would cost as much as all the rest.

export function readU48(bytes: Uint8Array, at: number): number {
  return readU24(bytes, at) * 0x100_0000 + readU24(bytes, at + 3);
}

/** `value` is an integer below 2^48. */
export function writeU48(target: Uint8Array, at: number, value: number): void {
  // Truncated to 32 bits, which both halves have room in; the remainder of two doubles would take longer than all the rest.
  const high = (value / 0x100_0000) | 0;
  const low = (value - high * 0x100_0000) | 0;
  target[at] = high >>> 16;
  target[at + 1] = high >>> 8;
  target[at + 2] = high;
  target[at + 3] = low >>> 16;
  target[at + 4] = low >>> 8;
  target[at + 5] = low;
}

function readU24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
