// Base64 of RFC 4648 §4, strict: padded, no white space, unused bits zero, so that each content has exactly one text.

const TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Below the number of arguments that any engine takes in one call. */
const CHUNK_BYTES = 8192;
/** Node's own, several times as fast as what a page has. */
const native: typeof Buffer | undefined = globalThis.Buffer;

export function encodeBase64(bytes: Uint8Array): string {
  if (native !== undefined) {
    return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  }
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
  // A copy: Node's small buffers are parts of a pool that they would keep.
  if (native !== undefined) return new Uint8Array(native.from(text, "base64"));
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export function base64SizeBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}
