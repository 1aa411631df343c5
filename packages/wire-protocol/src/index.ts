export type { Ack } from "./ack.ts";
export { decodeAck, encodeAck } from "./ack.ts";
export type { Address } from "./address.ts";
export { canonicalIp, formatAddress, parseAddress } from "./address.ts";
export { channelLabel } from "./channel-label.ts";
export type { Contact } from "./contact.ts";
export type { ChannelHello, ChannelMessage, Cookie, Data, Datagram, Hello, Welcome } from "./datagram.ts";
export {
  COOKIE,
  DATA,
  DATA_HEADER_BYTES,
  decodeChannelMessage,
  decodeDatagram,
  encodeChannelHello,
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
  writeDataHeader,
} from "./datagram.ts";
export type { DecodeFailure, DecodeResult } from "./decode-result.ts";
export type { Candidate, CandidateType, Description } from "./description.ts";
export { CANDIDATES_MAX, decodeDescription, descriptionSchema, encodeDescription } from "./description.ts";
export type { Envelope } from "./envelope.ts";
export {
  decodeEnvelope,
  ENVELOPE_HEADER_BYTES,
  encodeEnvelope,
  envelopeDigest,
  envelopeId,
  envelopeSchema,
  LOCK_BYTES,
  lockOf,
  NONCE_BYTES,
  setEnvelopeStamp,
} from "./envelope.ts";
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
export { bytesToHex, hexToBytes } from "./hex.ts";
export {
  CONTACTS_MAX,
  CONTENT_MAX_BYTES,
  DATA_OVERHEAD_BYTES,
  DATAGRAM_FRAMES_MAX_BYTES,
  DATAGRAM_MAX_BYTES,
  FRAME_MAX_BYTES,
  HOP_LIMIT,
  PUBLICATION_CONTENT_MAX_BYTES,
  RECORD_ADDRESSES_MAX,
  SEALED_BODY_SIZES,
  TIMESTAMP_MAX,
  TOPIC_MAX_BYTES,
} from "./limits.ts";
export type { Message } from "./message.ts";
export { decodeMessage, encodeMessage } from "./message.ts";
export type { MessageBody, MessageKind } from "./message-body.ts";
export { LIFETIME_MAX_MS, MESSAGE_ID_BYTES, messageBodySchema, STREAM_BYTES } from "./message-body.ts";
export type { Digest, Graft, Have, Prune, Publish, Want } from "./messages/broadcast.ts";
export { PUBLISH_HOPS_MAX, SHORT_ID_BYTES, SHORT_IDS_MAX } from "./messages/broadcast.ts";
export type { Direct, DirectAck, DirectResult } from "./messages/direct.ts";
export type { Bye, ByeReason, Pong } from "./messages/liveness.ts";
export { decodeBye, decodePong, ECHO_BYTES, encodeBye, encodePong } from "./messages/liveness.ts";
export type { Announce, DialBack, Lookup, Nodes } from "./messages/membership.ts";
export {
  decodeAnnounce,
  decodeDialBack,
  decodeLookup,
  decodeNodes,
  encodeAnnounce,
  encodeDialBack,
  encodeLookup,
  encodeNodes,
} from "./messages/membership.ts";
export type { Send, SendAck, SendFail, SendFailReason } from "./messages/unicast.ts";
export {
  decodeSend,
  decodeSendAck,
  decodeSendFail,
  encodeSend,
  encodeSendAck,
  encodeSendFail,
  NON_IMPROVING_MAX,
  sendAckSchema,
  sendFailSchema,
  sendSchema,
} from "./messages/unicast.ts";
export type { NodeRecord, NodeRole } from "./node-record.ts";
export { decodeNodeRecord, signNodeRecord, verifyNodeRecord } from "./node-record.ts";
export type { Publication } from "./publication.ts";
export {
  decodePublication,
  publicationDigest,
  publicationId,
  setPublicationStamp,
  signPublication,
  verifyPublication,
} from "./publication.ts";
export type { SealedBody } from "./sealed-body.ts";
export { decodeSealedBody, encodeSealedBody, T_BYTES } from "./sealed-body.ts";
export type { Signal, SignalPayload } from "./signal.ts";
export {
  decodeCandidate,
  decodeSignal,
  decodeSignalPayload,
  encodeCandidate,
  encodeSignal,
  encodeSignalPayload,
  OFFER_TAG_BYTES,
} from "./signal.ts";
export { bigEndianInteger, stampHash } from "./stamp-hash.ts";
