const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
/** What a lenient decoder writes for bytes that are no UTF-8; rarely, what somebody wrote. */
const REPLACEMENT = "\ufffd";

/**
 * Strict UTF-8 from untrusted bytes; undefined where they are none. Not by a decoder that throws: refusing would cost ten times
 * as much as taking.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = utf8.decode(bytes);
  return text.includes(REPLACEMENT) && !isSame(encoder.encode(text), bytes) ? undefined : text;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
