// Base64 of RFC 4648 §4, strict: padded, no white space, unused bits zero, so that each content has exactly one text.

const TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Below the number of arguments that any engine takes in one call. */
const CHUNK_BYTES = 8192;

export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return btoa(text);
}

/** undefined for anything that `encodeBase64` does not write. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!TEXT.test(text)) return undefined;
  // The last four characters carry the only bits that may be unused.
  const last = text.slice(-4);
  if (btoa(atob(last)) !== last) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function base64SizeBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}
