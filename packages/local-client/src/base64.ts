// Base64 of RFC 4648 §4, strict: padded, no white space, unused bits zero, so that each content has exactly one text.

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
  const bytes = native === undefined ? decodeInPage(text) : decodeNatively(text, native);
  // Both take more than they should; what is not written the same again was not the one text of these bytes.
  return bytes !== undefined && encodeBase64(bytes) === text ? bytes : undefined;
}

function decodeNatively(text: string, buffers: typeof Buffer): Uint8Array {
  // A copy: Node's small buffers are parts of a pool that they would keep.
  return new Uint8Array(buffers.from(text, "base64"));
}

function decodeInPage(text: string): Uint8Array | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export function base64SizeBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}
