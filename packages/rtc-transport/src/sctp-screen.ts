// Which SCTP packets of the connected peer reach werift (RFC 9260 §3). DTLS has authenticated their sender, not their sense: in
// werift 0.25.2 a chunk or parameter of length 0 is an endless loop, a SACK may claim 19 million gaps, unknown payload types and
// stray DCEP messages reject promises that nobody awaits, and messages and streams have no bound. Pure.
//
//   packet: 0 source port u16 | 2 destination port u16 | 4 tag u32 | 8 checksum u32 | 12 chunks
//   chunk:  0 type u8 | 1 flags u8 | 2 length u16 with this header | 4 value, padded to 4
//   DATA:   4 TSN u32 | 8 stream u16 | 10 number in stream u16 | 12 payload type u32 | 16 data; flags: 4 unordered
//   SACK:   4 cumulative TSN u32 | 8 window u32 | 12 gaps u16 | 14 duplicates u16 | 16 gaps: start u16, end u16
//   INIT, INIT ACK: 20 parameters; HEARTBEAT, HEARTBEAT ACK: 4 parameters: type u16 | length u16 with this header | value
export const BINARY_PPID = 53;
export const CHANNEL_STREAM = 0;
const COMMON_HEADER_BYTES = 12;
/** More TSNs than a window of 1 MiB holds in full packets. */
const GAP_SPAN_MAX = 4096;
const CHUNK = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
  reconfig: 130,
} as const;

/**
 * "remote-close": the peer ends the association or resets its stream. "misbehaved": it opened a second channel, or sent what
 * this channel never carries.
 */
export type SctpVerdict = "pass" | "drop" | "remote-close" | "misbehaved";

export function screenSctp(packet: Buffer, isEstablished: boolean): SctpVerdict {
  if (packet.length < COMMON_HEADER_BYTES + 4) return "drop";
  let at = COMMON_HEADER_BYTES;
  while (at < packet.length) {
    if (at + 4 > packet.length) return "drop";
    const length = packet.readUInt16BE(at + 2);
    if (length < 4 || at + length > packet.length) return "drop";
    const verdict = judge(packet.subarray(at, at + length), isEstablished);
    if (verdict !== "pass") return verdict;
    at += Math.ceil(length / 4) * 4;
  }
  return "pass";
}

function judge(chunk: Buffer, isEstablished: boolean): SctpVerdict {
  switch (chunk.readUInt8(0)) {
    case CHUNK.data:
      return judgeData(chunk);
    case CHUNK.sack:
      return judgeSack(chunk);
    case CHUNK.init:
      // In an association that stands it would reset the receiving side.
      return isEstablished || !hasParameters(chunk, 20) ? "drop" : "pass";
    case CHUNK.initAck:
      return hasParameters(chunk, 20) ? "pass" : "drop";
    case CHUNK.heartbeat:
    case CHUNK.heartbeatAck:
      return hasParameters(chunk, 4) ? "pass" : "drop";
    case CHUNK.cookieEcho:
    case CHUNK.cookieAck:
      return "pass";
    case CHUNK.abort:
    case CHUNK.shutdown:
    case CHUNK.shutdownAck:
    case CHUNK.shutdownComplete:
    case CHUNK.reconfig:
      return "remote-close";
    default:
      // ERROR and FORWARD TSN among them: nothing here is partially reliable.
      return "drop";
  }
}

function judgeData(chunk: Buffer): SctpVerdict {
  if (chunk.length <= 16) return "misbehaved";
  const isUnordered = (chunk.readUInt8(1) & 4) !== 0;
  if (isUnordered || chunk.readUInt16BE(8) !== CHANNEL_STREAM) return "misbehaved";
  return chunk.readUInt32BE(12) === BINARY_PPID ? "pass" : "misbehaved";
}

function judgeSack(chunk: Buffer): SctpVerdict {
  if (chunk.length < 16) return "drop";
  const gaps = chunk.readUInt16BE(12);
  const duplicates = chunk.readUInt16BE(14);
  if (chunk.length !== 16 + 4 * (gaps + duplicates)) return "drop";
  let before = 0;
  for (let at = 16; at < 16 + 4 * gaps; at += 4) {
    const start = chunk.readUInt16BE(at);
    const end = chunk.readUInt16BE(at + 2);
    // werift sorts TSNs as text, so gaps may come out of order at a change of digits; each still has to be a sane range.
    if (start === 0 || end < start) return "drop";
    before += end - start + 1;
  }
  return before <= GAP_SPAN_MAX ? "pass" : "drop";
}

function hasParameters(chunk: Buffer, from: number): boolean {
  if (chunk.length < from) return false;
  for (let at = from; at < chunk.length; ) {
    if (at + 4 > chunk.length) return false;
    const length = chunk.readUInt16BE(at + 2);
    if (length < 4 || at + length > chunk.length) return false;
    at += Math.ceil(length / 4) * 4;
  }
  return true;
}

/** TSN of the first DATA chunk of a packet that passed. */
export function firstTsn(packet: Buffer): number | undefined {
  for (let at = COMMON_HEADER_BYTES; at < packet.length; at += Math.ceil(packet.readUInt16BE(at + 2) / 4) * 4) {
    if (packet.readUInt8(at) === CHUNK.data) return packet.readUInt32BE(at + 4);
  }
  return undefined;
}
