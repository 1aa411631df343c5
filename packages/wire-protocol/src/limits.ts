// Sizes and limits of the wire, PROTOCOL §10. The first block is what every implementation must agree on; the second
// follows from it.

/** Largest UDP datagram, and the exact size of a Hello. */
export const DATAGRAM_MAX_BYTES = 1200;
/** kind 1 + receiver index 4 + counter 8 + tag 16. */
export const DATA_OVERHEAD_BYTES = 29;
/** Largest frame, header included, after reassembly. */
export const FRAME_MAX_BYTES = 65_536;
/** Largest content of a message, on every path. */
export const CONTENT_MAX_BYTES = 60_000;
/** Largest content of a broadcast. */
export const PUBLICATION_CONTENT_MAX_BYTES = 16_384;
/** Longest topic in UTF-8 bytes. */
export const TOPIC_MAX_BYTES = 128;
/** The only lengths a sealed body may have; the index is the envelope's size class. */
export const SEALED_BODY_SIZES: readonly number[] = [256, 512, 1024, 4096, 16_384, 61_440];
/** A Send that has been forwarded this often is not forwarded again. */
export const HOP_LIMIT = 24;
/** Contacts in one Nodes or Pong. */
export const CONTACTS_MAX = 8;
/** Addresses in one NodeRecord. */
export const RECORD_ADDRESSES_MAX = 4;
/** Latest point in time that fits a 48-bit timestamp in milliseconds (the year 10889). */
export const TIMESTAMP_MAX: number = 2 ** 48 - 1;

/** What is left of a UDP datagram for frames: 1200 - 29. */
export const DATAGRAM_FRAMES_MAX_BYTES: number = DATAGRAM_MAX_BYTES - DATA_OVERHEAD_BYTES;
