export type { Ack } from "./ack.ts";
export { decodeAck, encodeAck } from "./ack.ts";
export type { Address } from "./address.ts";
export { canonicalIp, formatAddress, parseAddress } from "./address.ts";
export type { Cookie, Data, Datagram, Hello, Welcome } from "./datagram.ts";
export {
  COOKIE,
  DATA,
  DATA_HEADER_BYTES,
  decodeDatagram,
  encodeCookie,
  encodeDataHeader,
  encodeHello,
  encodeWelcome,
  HELLO,
  HELLO_MAC1_OFFSET,
  HELLO_MESSAGE_BYTES,
  HELLO_PAYLOAD_BYTES,
  MAC_BYTES,
  setHelloCookie,
  WELCOME,
  WELCOME_PAYLOAD_MAX_BYTES,
} from "./datagram.ts";
export type { DecodeFailure, DecodeResult } from "./decode-result.ts";
export type { WireErrorCode } from "./errors.ts";
export { WireError } from "./errors.ts";
export type { Frame, NumberedFrame } from "./frame.ts";
export {
  ACK_BITMAP_MAX_BYTES,
  FRAGMENT_HEADER_BYTES,
  FRAGMENTS_MAX,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  frameSizeBytes,
  isReliable,
  RELIABLE_FRAME_HEADER_BYTES,
  readFrames,
  writeFrame,
} from "./frame.ts";
export type { HelloPayload, WelcomePayload } from "./handshake-payload.ts";
export {
  decodeHelloPayload,
  decodeWelcomePayload,
  EPOCH_BYTES,
  encodeHelloPayload,
  encodeWelcomePayload,
} from "./handshake-payload.ts";
export {
  CONTACTS_MAX,
  CONTENT_MAX_BYTES,
  DATA_OVERHEAD_BYTES,
  DATAGRAM_FRAMES_MAX_BYTES,
  DATAGRAM_MAX_BYTES,
  FRAME_MAX_BYTES,
  HOP_LIMIT,
  RECORD_ADDRESSES_MAX,
  SEALED_BODY_SIZES,
  TIMESTAMP_MAX,
  TOPIC_MAX_BYTES,
} from "./limits.ts";
