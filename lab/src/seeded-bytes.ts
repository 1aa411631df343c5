/** A source of bytes that gives the same ones for the same seed (mulberry32). For garbage, never for keys that must stay secret. */
export function seededBytes(seed: number): (sizeBytes: number) => Uint8Array {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 4) {
      const value = word();
      for (let byte = 0; byte < 4 && at + byte < sizeBytes; byte += 1) bytes[at + byte] = (value >>> (8 * byte)) & 0xff;
    }
    return bytes;
  };
}
