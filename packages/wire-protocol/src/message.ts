import type { DecodeResult } from "./decode-result.ts";
import { undecodable } from "./decode-result.ts";
import type { Frame } from "./frame.ts";
import { FRAME_KIND } from "./frame.ts";
import type { Bye, Pong } from "./messages/liveness.ts";
import { decodeBye, decodePong, encodeBye } from "./messages/liveness.ts";
import type { Announce, Lookup, Nodes } from "./messages/membership.ts";
import {
  decodeAnnounce,
  decodeLookup,
  decodeNodes,
  encodeAnnounce,
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
export type Message = Pong | Announce | Lookup | Nodes | Send | SendAck | SendFail | Bye;

/** Reads a frame from a neighbour. An unknown kind is a drop with the reason `unknown-kind`. */
export function decodeMessage(frame: Frame): DecodeResult<Message> {
  switch (frame.kind) {
    case FRAME_KIND.send:
      return decodeSend(frame.body);
    case FRAME_KIND.sendAck:
      return decodeSendAck(frame.body);
    case FRAME_KIND.sendFail:
      return decodeSendFail(frame.body);
    case FRAME_KIND.announce:
      return decodeAnnounce(frame.body);
    case FRAME_KIND.lookup:
      return decodeLookup(frame.body);
    case FRAME_KIND.nodes:
      return decodeNodes(frame.body);
    case FRAME_KIND.pong:
      return decodePong(frame.body);
    case FRAME_KIND.bye:
      return decodeBye(frame.body);
    default:
      return undecodable("unknown-kind");
  }
}

/** The frame of a message that a core sends; a Pong's body is made for the session by `encodePong`. */
export function encodeMessage(message: Exclude<Message, Pong>): Frame {
  switch (message.type) {
    case "send":
      return { kind: FRAME_KIND.send, body: encodeSend(message) };
    case "send-ack":
      return { kind: FRAME_KIND.sendAck, body: encodeSendAck(message) };
    case "send-fail":
      return { kind: FRAME_KIND.sendFail, body: encodeSendFail(message) };
    case "announce":
      return { kind: FRAME_KIND.announce, body: encodeAnnounce(message) };
    case "lookup":
      return { kind: FRAME_KIND.lookup, body: encodeLookup(message) };
    case "nodes":
      return { kind: FRAME_KIND.nodes, body: encodeNodes(message) };
    case "bye":
      return { kind: FRAME_KIND.bye, body: encodeBye(message) };
  }
}
