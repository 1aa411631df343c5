// Integers at fixed places, without a DataView: on the way of every datagram making one costs more than all it reads.

/** Bytes behind the end count as zeros: the caller has checked the length. */
export function u16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function u32At(bytes: Uint8Array, at: number): number {
  return u16At(bytes, at) * 65_536 + u16At(bytes, at + 2);
}

export function setU16(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 8;
  target[at + 1] = value;
}

export function setU32(target: Uint8Array, at: number, value: number): void {
  setU16(target, at, value >>> 16);
  setU16(target, at + 2, value);
}
