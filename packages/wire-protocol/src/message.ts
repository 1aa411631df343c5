import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import type { Frame } from "./frame.ts";
import { FRAME_KIND } from "./frame.ts";
import type { Digest, Graft, Have, Prune, Publish, Want } from "./messages/broadcast.ts";
import {
  decodeDigest,
  decodeEmpty,
  decodePublish,
  decodeShortIds,
  encodeDigest,
  encodePublish,
  encodeShortIds,
} from "./messages/broadcast.ts";
import type { Direct, DirectAck } from "./messages/direct.ts";
import { decodeDirect, decodeDirectAck, encodeDirect, encodeDirectAck } from "./messages/direct.ts";
import type { Bye, Pong } from "./messages/liveness.ts";
import { decodeBye, decodePong, encodeBye } from "./messages/liveness.ts";
import type { Announce, DialBack, Lookup, Nodes } from "./messages/membership.ts";
import {
  decodeAnnounce,
  decodeDialBack,
  decodeLookup,
  decodeNodes,
  encodeAnnounce,
  encodeDialBack,
  encodeLookup,
  encodeNodes,
} from "./messages/membership.ts";
import type { Send, SendAck, SendFail } from "./messages/unicast.ts";
import {
  decodeSend,
  decodeSendAck,
  decodeSendFail,
  encodeSend,
  encodeSendAck,
  encodeSendFail,
} from "./messages/unicast.ts";

/** A decoded frame. Ping and Pong pass through the session, which answers Pings itself. */
export type Message =
  | Pong
  | Announce
  | Lookup
  | Nodes
  | DialBack
  | Send
  | SendAck
  | SendFail
  | Direct
  | DirectAck
  | Publish
  | Have
  | Want
  | Graft
  | Prune
  | Digest
  | Bye;

/** Reads a frame from a neighbour. An unknown kind is a drop with the reason `unknown-kind`. */
export function decodeMessage(frame: Frame): DecodeResult<Message> {
  switch (frame.kind) {
    case FRAME_KIND.send:
      return decodeSend(frame.body);
    case FRAME_KIND.sendAck:
      return decodeSendAck(frame.body);
    case FRAME_KIND.sendFail:
      return decodeSendFail(frame.body);
    case FRAME_KIND.direct:
      return decodeDirect(frame.body);
    case FRAME_KIND.directAck:
      return decodeDirectAck(frame.body);
    case FRAME_KIND.publish:
      return decodePublish(frame.body);
    case FRAME_KIND.have:
      return shortIds(frame.body, "have");
    case FRAME_KIND.want:
      return shortIds(frame.body, "want");
    case FRAME_KIND.graft:
      return decodeEmpty(frame.body, { type: "graft" });
    case FRAME_KIND.prune:
      return decodeEmpty(frame.body, { type: "prune" });
    case FRAME_KIND.digest:
      return decodeDigest(frame.body);
    case FRAME_KIND.announce:
      return decodeAnnounce(frame.body);
    case FRAME_KIND.lookup:
      return decodeLookup(frame.body);
    case FRAME_KIND.nodes:
      return decodeNodes(frame.body);
    case FRAME_KIND.dialBack:
      return decodeDialBack(frame.body);
    case FRAME_KIND.pong:
      return decodePong(frame.body);
    case FRAME_KIND.bye:
      return decodeBye(frame.body);
    default:
      return undecodable("unknown-kind");
  }
}

/**
 * The frame of a message that a core sends; a Pong's body is made for the session by `encodePong`. Throws `E_BAD_VALUE` for a
 * field that does not fit its place, `E_TOO_LARGE` with the limit for a Direct's content or topic, `E_BAD_ADDRESS`, and `E_BAD_ID`
 * (an IdentityError) for a node id that is none.
 */
export function encodeMessage(message: Exclude<Message, Pong>): Frame {
  switch (message.type) {
    case "send":
      return { kind: FRAME_KIND.send, body: encodeSend(message) };
    case "send-ack":
      return { kind: FRAME_KIND.sendAck, body: encodeSendAck(message) };
    case "send-fail":
      return { kind: FRAME_KIND.sendFail, body: encodeSendFail(message) };
    case "direct":
      return { kind: FRAME_KIND.direct, body: encodeDirect(message) };
    case "direct-ack":
      return { kind: FRAME_KIND.directAck, body: encodeDirectAck(message) };
    case "publish":
      return { kind: FRAME_KIND.publish, body: encodePublish(message) };
    case "have":
      return { kind: FRAME_KIND.have, body: encodeShortIds(message.shortIds) };
    case "want":
      return { kind: FRAME_KIND.want, body: encodeShortIds(message.shortIds) };
    case "graft":
      return { kind: FRAME_KIND.graft, body: new Uint8Array(0) };
    case "prune":
      return { kind: FRAME_KIND.prune, body: new Uint8Array(0) };
    case "digest":
      return { kind: FRAME_KIND.digest, body: encodeDigest(message) };
    case "announce":
      return { kind: FRAME_KIND.announce, body: encodeAnnounce(message) };
    case "lookup":
      return { kind: FRAME_KIND.lookup, body: encodeLookup(message) };
    case "nodes":
      return { kind: FRAME_KIND.nodes, body: encodeNodes(message) };
    case "dial-back":
      return { kind: FRAME_KIND.dialBack, body: encodeDialBack(message) };
    case "bye":
      return { kind: FRAME_KIND.bye, body: encodeBye(message) };
  }
}

function shortIds<T extends "have" | "want">(
  body: Uint8Array,
  type: T,
): DecodeResult<{ type: T; shortIds: readonly string[] }> {
  const ids = decodeShortIds(body);
  return ids.ok ? decoded({ type, shortIds: ids.value }) : ids;
}
