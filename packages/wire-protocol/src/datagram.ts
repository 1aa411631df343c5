// The four datagram kinds, PROTOCOL §3. All integers big-endian. The first byte lies outside the ranges that STUN (0-3),
// DTLS (20-63), TURN channels (64-79) and RTP (128-191) use, so one socket can serve them all (RFC 7983).
//
//   Hello    1200 B   0 kind 0x50 | 1 sender index u32 | 5 Noise IK message 1 (1163: e 32, s 48, payload 1067, tag 16)
//                     | 1168 mac1 (16) | 1184 cookie (16, zeros when none)
//   Welcome  57+n B   0 kind 0x51 | 1 sender index u32 | 5 receiver index u32 | 9 Noise IK message 2 (e 32, payload n, tag 16)
//   Cookie   37 B     0 kind 0x52 | 1 receiver index u32 | 5 mac1 of the Hello it answers (16) | 21 cookie (16)
//   Data     29+n B   0 kind 0x53 | 1 receiver index u32 | 5 counter u64 | 13 frames (n), tag 16
//
// A Welcome is never larger than the Hello it answers, a Cookie always smaller. mac1 covers bytes 0-1167 of the Hello. The
// first 13 bytes of a Data are its associated data.
//
// A message of a channel (PROTOCOL §9.1) is a Data, or one of the two that renew its keys; they carry nothing but the handshake:
//
//   Hello    101 B    0 kind 0x50 | 1 sender index u32 | 5 Noise IK message 1 (96: e 32, s 48, tag 16)
//   Welcome  57 B     0 kind 0x51 | 1 sender index u32 | 5 receiver index u32 | 9 Noise IK message 2 (48: e 32, tag 16)
import { setU32, u32At } from "./big-endian.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { DATA_OVERHEAD_BYTES, DATAGRAM_MAX_BYTES } from "./limits.ts";

/** First byte of a Hello. */
export const HELLO = 0x50;
/** First byte of a Welcome. */
export const WELCOME = 0x51;
/** First byte of a Cookie. */
export const COOKIE = 0x52;
/** First byte of a Data. */
export const DATA = 0x53;

/** Size of the handshake's message 1 in a Hello. */
export const HELLO_MESSAGE_BYTES = 1163;
/** What Noise IK message 1 of a Hello holds: 1163 - e 32 - s 48 - tag 16. */
export const HELLO_PAYLOAD_BYTES = 1067;
/** Where mac1 begins in a Hello; all before it is what mac1 is over. */
export const HELLO_MAC1_OFFSET = 1168;
/** Size of mac1, and of a cookie. */
export const MAC_BYTES = 16;
/** What Noise IK message 2 of a Welcome may hold at most: 1200 - 9 - e 32 - tag 16. */
export const WELCOME_PAYLOAD_MAX_BYTES = 1143;
/** A Data before its ciphertext: kind, receiver index u32, counter u64. */
export const DATA_HEADER_BYTES = 13;
const WELCOME_MIN_BYTES = 57;
const CHANNEL_HELLO_BYTES = 101;
const CHANNEL_HELLO_MESSAGE_BYTES = 96;
const WELCOME_MESSAGE_MIN_BYTES = 48;
const COOKIE_BYTES = 37;
const COOKIE_OFFSET = 1184;

/** The first message of a handshake (docs/PROTOCOL.md §3), 1,200 bytes; `cookie` is all zero where there is none. */
export type Hello = {
  readonly kind: typeof HELLO;
  readonly senderIndex: number;
  readonly message: Uint8Array;
  /** Bytes 0-1167: what mac1 is computed over. */
  readonly authenticated: Uint8Array;
  readonly mac1: Uint8Array;
  readonly cookie: Uint8Array;
};
/** The second message of a handshake (docs/PROTOCOL.md §3). */
export type Welcome = {
  readonly kind: typeof WELCOME;
  readonly senderIndex: number;
  readonly receiverIndex: number;
  readonly message: Uint8Array;
};
/**
 * The answer of a busy responder (docs/PROTOCOL.md §3): mac1 of the Hello that it answers, and the cookie to send it again with,
 * 16 bytes each.
 */
export type Cookie = {
  readonly kind: typeof COOKIE;
  readonly receiverIndex: number;
  readonly mac1: Uint8Array;
  readonly cookie: Uint8Array;
};
/** Encrypted frames (docs/PROTOCOL.md §3): `header` is what the tag covers as associated data. */
export type Data = {
  readonly kind: typeof DATA;
  readonly receiverIndex: number;
  /** Below 2^53; a larger one is refused here, far above the rekey limit of 2^32. */
  readonly counter: number;
  readonly header: Uint8Array;
  readonly ciphertext: Uint8Array;
};
/** Whatever one UDP packet may hold. */
export type Datagram = Hello | Welcome | Cookie | Data;
/** The Hello that renews the keys of a channel (docs/PROTOCOL.md §9). */
export type ChannelHello = {
  readonly kind: typeof HELLO;
  readonly senderIndex: number;
  readonly message: Uint8Array;
};
/** Whatever one message of a channel may hold. */
export type ChannelMessage = ChannelHello | Welcome | Data;

/** Reads a datagram of ours; the parts are views into `bytes`. Every byte is untrusted. */
export function decodeDatagram(bytes: Uint8Array): DecodeResult<Datagram> {
  if (bytes.length > DATAGRAM_MAX_BYTES) return undecodable("too-long");
  if (bytes.length < DATA_OVERHEAD_BYTES) return undecodable("too-short");
  switch (bytes[0]) {
    case DATA:
      return decodeData(bytes);
    case HELLO:
      if (bytes.length !== DATAGRAM_MAX_BYTES) return undecodable("bad-length");
      return decoded({
        kind: HELLO,
        senderIndex: u32At(bytes, 1),
        message: bytes.subarray(5, HELLO_MAC1_OFFSET),
        authenticated: bytes.subarray(0, HELLO_MAC1_OFFSET),
        mac1: bytes.subarray(HELLO_MAC1_OFFSET, COOKIE_OFFSET),
        cookie: bytes.subarray(COOKIE_OFFSET),
      });
    case WELCOME:
      if (bytes.length < WELCOME_MIN_BYTES) return undecodable("too-short");
      return decoded(welcomeOf(bytes));
    case COOKIE:
      if (bytes.length !== COOKIE_BYTES) return undecodable("bad-length");
      return decoded({
        kind: COOKIE,
        receiverIndex: u32At(bytes, 1),
        mac1: bytes.subarray(5, 21),
        cookie: bytes.subarray(21),
      });
    default:
      return undecodable("unknown-kind");
  }
}

/** The same of a message of a channel, whose owner says how long one may be. */
export function decodeChannelMessage(bytes: Uint8Array, maxBytes: number): DecodeResult<ChannelMessage> {
  if (bytes.length > maxBytes) return undecodable("too-long");
  if (bytes.length < DATA_OVERHEAD_BYTES) return undecodable("too-short");
  switch (bytes[0]) {
    case DATA:
      return decodeData(bytes);
    case HELLO:
      if (bytes.length !== CHANNEL_HELLO_BYTES) return undecodable("bad-length");
      return decoded({ kind: HELLO, senderIndex: u32At(bytes, 1), message: bytes.subarray(5) });
    case WELCOME:
      return bytes.length === WELCOME_MIN_BYTES ? decoded(welcomeOf(bytes)) : undecodable("bad-length");
    default:
      return undecodable("unknown-kind");
  }
}

function decodeData(bytes: Uint8Array): DecodeResult<Data> {
  const high = u32At(bytes, 5);
  if (high >= 2 ** 21) return undecodable("bad-value");
  return decoded({
    kind: DATA,
    receiverIndex: u32At(bytes, 1),
    counter: high * 2 ** 32 + u32At(bytes, 9),
    header: bytes.subarray(0, DATA_HEADER_BYTES),
    ciphertext: bytes.subarray(DATA_HEADER_BYTES),
  });
}

function welcomeOf(bytes: Uint8Array): Welcome {
  return {
    kind: WELCOME,
    senderIndex: u32At(bytes, 1),
    receiverIndex: u32At(bytes, 5),
    message: bytes.subarray(9),
  };
}

/**
 * A Hello without its mac1 and cookie, which are zeros until the caller sets them at HELLO_MAC1_OFFSET. Throws `E_BAD_VALUE` for
 * a message that has not HELLO_MESSAGE_BYTES.
 */
export function encodeHello(senderIndex: number, message: Uint8Array): Uint8Array {
  requireSize("the message of a Hello", message, HELLO_MESSAGE_BYTES);
  const bytes = new Uint8Array(DATAGRAM_MAX_BYTES);
  bytes[0] = HELLO;
  new DataView(bytes.buffer).setUint32(1, senderIndex);
  bytes.set(message, 5);
  return bytes;
}

/** The Hello that renews the keys of a channel; its message has no payload. Throws `E_BAD_VALUE` where it has not 96 bytes. */
export function encodeChannelHello(senderIndex: number, message: Uint8Array): Uint8Array {
  requireSize("the message of a channel's Hello", message, CHANNEL_HELLO_MESSAGE_BYTES);
  const bytes = new Uint8Array(CHANNEL_HELLO_BYTES);
  bytes[0] = HELLO;
  setU32(bytes, 1, senderIndex);
  bytes.set(message, 5);
  return bytes;
}

/**
 * Sets the cookie of an encoded Hello (mac1 does not cover it, so the Hello stays the same Hello). Throws `E_BAD_VALUE` unless
 * it has 16 bytes.
 */
export function setHelloCookie(hello: Uint8Array, cookie: Uint8Array): void {
  requireSize("a cookie", cookie, MAC_BYTES);
  hello.set(cookie, COOKIE_OFFSET);
}

/** A Welcome around the handshake's message 2. Throws `E_BAD_VALUE` where that has less than the 48 bytes of one without payload. */
export function encodeWelcome(senderIndex: number, receiverIndex: number, message: Uint8Array): Uint8Array {
  if (message.length < WELCOME_MESSAGE_MIN_BYTES) {
    const text = `the message of a Welcome has at least ${WELCOME_MESSAGE_MIN_BYTES} bytes, got ${message.length}`;
    throw new WireError("E_BAD_VALUE", text);
  }
  const bytes = new Uint8Array(9 + message.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = WELCOME;
  view.setUint32(1, senderIndex);
  view.setUint32(5, receiverIndex);
  bytes.set(message, 9);
  return bytes;
}

/** A Cookie: mac1 of the Hello that it answers, and the cookie. Throws `E_BAD_VALUE` unless each has 16 bytes. */
export function encodeCookie(receiverIndex: number, mac1: Uint8Array, cookie: Uint8Array): Uint8Array {
  requireSize("mac1", mac1, MAC_BYTES);
  requireSize("a cookie", cookie, MAC_BYTES);
  const bytes = new Uint8Array(COOKIE_BYTES);
  bytes[0] = COOKIE;
  new DataView(bytes.buffer).setUint32(1, receiverIndex);
  bytes.set(mac1, 5);
  bytes.set(cookie, 21);
  return bytes;
}

/** The 13 bytes in front of a Data's ciphertext, which are also its associated data. */
export function encodeDataHeader(receiverIndex: number, counter: number): Uint8Array {
  const bytes = new Uint8Array(DATA_HEADER_BYTES);
  writeDataHeader(bytes, receiverIndex, counter);
  return bytes;
}

/** The same at the head of `target`. */
export function writeDataHeader(target: Uint8Array, receiverIndex: number, counter: number): void {
  target[0] = DATA;
  setU32(target, 1, receiverIndex);
  setU32(target, 5, Math.floor(counter / 2 ** 32));
  setU32(target, 9, counter % 2 ** 32);
}

/** A short field would leave zeros behind it, a long one run over what follows. */
function requireSize(what: string, bytes: Uint8Array, sizeBytes: number): void {
  if (bytes.length === sizeBytes) return;
  throw new WireError("E_BAD_VALUE", `${what} has ${sizeBytes} bytes, got ${bytes.length}`);
}
