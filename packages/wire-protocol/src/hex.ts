const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Node writes hex natively, from any Uint8Array; the method is old, and stands in no documentation. */
type HexSlice = (this: Uint8Array, start: number, end: number) => string;
const hexSlice: HexSlice | undefined = (globalThis.Buffer?.prototype as { hexSlice?: HexSlice } | undefined)?.hexSlice;

/** Lower-case hex; also how tables key ids and locks. */
export function bytesToHex(bytes: Uint8Array): string {
  if (hexSlice !== undefined) return hexSlice.call(bytes, 0, bytes.length);
  let text = "";
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/** Strict: lower-case digits and exactly `sizeBytes`, or undefined. */
export function hexToBytes(text: string, sizeBytes: number): Uint8Array | undefined {
  if (text.length !== 2 * sizeBytes || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
