const SLAB_BYTES = 65_536;
let slab: Uint8Array = new Uint8Array(0);
let usedBytes = 0;

/**
 * Fresh zeros, cut from a larger piece: an array of its own costs a message more than all of its encoding. Nobody else gets
 * these bytes; the piece lives as long as the longest-lived part of it.
 */
export function takeBytes(sizeBytes: number): Uint8Array {
  if (sizeBytes > SLAB_BYTES / 4) return new Uint8Array(sizeBytes);
  if (usedBytes + sizeBytes > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    usedBytes = 0;
  }
  usedBytes += sizeBytes;
  return new Uint8Array(slab.buffer, usedBytes - sizeBytes, sizeBytes);
}
