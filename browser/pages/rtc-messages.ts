// What both ends say to each other; the same in the page and in the test.

/** 1,000 messages: of all sizes up to one record, and one that is longer than that. */
export function exchanged(): Uint8Array[] {
  return Array.from({ length: 1000 }, (_, i) => {
    const size = i === 500 ? 40_000 : i % 100 === 0 ? 16_384 : 1 + ((i * 37) % 300);
    return Uint8Array.from({ length: size }, (_, at) => (i + at) % 251);
  });
}

/** SHA-256, in hex, of the messages, each behind its length. */
export async function digestOf(messages: readonly Uint8Array[]): Promise<string> {
  const parts = messages.map((bytes) => [...new TextEncoder().encode(`${bytes.length} `), ...bytes]);
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(parts.flat()));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
