const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Strict UTF-8 from untrusted bytes; undefined where they are none. Looked at before they are decoded: a decoder that throws, or whose
 * replacements are looked for afterwards, makes refusing dearer than taking.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? utf8.decode(bytes) : undefined;
}

/** RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) {
    const first = bytes[i] as number;
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    // Between these lies the byte that follows; those behind it from 0x80 to 0xbf.
    let least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    let most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    for (let more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3; more > 0; more -= 1) {
      i += 1;
      const next = bytes[i] ?? 0;
      if (next < least || next > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}
