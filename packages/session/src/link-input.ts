// Frames that arrived on a link, from an authenticated peer, who may still send anything.
import {
  type Address,
  DATAGRAM_FRAMES_MAX_BYTES,
  decodeAck,
  ECHO_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  type Frame,
  type NumberedFrame,
} from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { SessionEvent, SessionOwner } from "./event.ts";
import type { Link } from "./link.ts";
import type { Now } from "./now.ts";

/** Pongs that one flush may owe: a datagram holds a hundred Pings, and their answers would be many times its size. */
const PONGS_MAX = 2;

/** Kinds of the session itself, which the layers above neither send nor see (Pong they see). */
const OWN_KINDS: ReadonlySet<number> = new Set([
  FRAME_KIND.ack,
  FRAME_KIND.fragment,
  FRAME_KIND.skip,
  FRAME_KIND.ping,
  FRAME_KIND.pong,
  FRAME_KIND.bye,
]);

export function isSessionKind(kind: number): boolean {
  return OWN_KINDS.has(kind);
}

export type FrameInput = {
  readonly link: Link;
  readonly from: Address;
  readonly now: Now;
  readonly owner: SessionOwner;
  readonly counters: Counters;
  /** Events are added here. */
  readonly events: SessionEvent[];
};

/** Takes the frames of one datagram; a Bye's body when there was one, behind which nothing is read. */
export function takeFrames(frames: readonly NumberedFrame[], input: FrameInput): Uint8Array | undefined {
  for (const frame of frames) {
    if (frame.number !== undefined) takeReliable(frame, frame.number, input);
    else if (frame.kind === FRAME_KIND.bye) return frame.body;
    else if (frame.kind === FRAME_KIND.ack) takeAck(frame.body, input);
    else if (frame.kind === FRAME_KIND.ping) takePing(frame.body, input);
    else if (frame.kind === FRAME_KIND.pong) takePong(frame.body, input);
    else passUp({ kind: frame.kind, body: frame.body }, input);
  }
  return undefined;
}

/** To be called when an address has been proved: the owner, who judges by addresses, hears of no other. */
export function tellMove(link: Link, events: SessionEvent[]): void {
  const address = link.takeMove();
  if (address !== undefined) events.push({ type: "moved", peer: link.peer, address });
}

function passUp(frame: Frame, { link, events }: FrameInput): void {
  events.push({ type: "frame", peer: link.peer, frame });
}

function takeReliable(frame: NumberedFrame, wireNumber: number, input: FrameInput): void {
  const { link, now, counters } = input;
  const { receiver, reassembly } = link;
  const number = receiver.numberOf(wireNumber);
  const verdict = receiver.verdict(number);
  if (verdict === "beyond") {
    counters.add("dropped.frame-beyond-window");
    return;
  }
  if (verdict === "repeated") {
    counters.add("dropped.frame-repeated");
    receiver.oweAck(now.mono);
    return;
  }
  if (frame.kind === FRAME_KIND.fragment) {
    const outcome = reassembly.offer(number, frame.body, now.mono);
    // Not acknowledged, so that the peer sends it again when there is room.
    if (outcome.type === "no-room") {
      counters.add("dropped.fragment-no-room");
      return;
    }
    const isOwnKind = outcome.type === "complete" && isSessionKind(outcome.frame.kind);
    if (outcome.type === "bad" || isOwnKind) counters.add("dropped.fragment");
    else if (outcome.type === "complete") passUp(outcome.frame, input);
  } else if (frame.kind === FRAME_KIND.skip) {
    reassembly.skip(number);
  } else {
    passUp({ kind: frame.kind, body: frame.body }, input);
  }
  receiver.take(number);
  receiver.oweAck(now.mono);
}

function takeAck(body: Uint8Array, { link, now, counters, events }: FrameInput): void {
  const ack = decodeAck(body);
  const outcome = ack.ok ? link.sender.acknowledge(ack.value, link.liveness.rttMs, now.mono) : undefined;
  if (outcome === undefined) {
    counters.add("dropped.ack");
    return;
  }
  if (outcome.rttMs !== undefined) link.liveness.sample(outcome.rttMs);
  for (const token of outcome.tokens) events.push({ type: "acknowledged", peer: link.peer, token });
}

function takePing(body: Uint8Array, { link, from, now, owner, counters }: FrameInput): void {
  if (body.length !== ECHO_BYTES || link.pongs.length >= PONGS_MAX || !link.pings.take(now.mono)) {
    counters.add("dropped.ping");
    return;
  }
  const pong = owner.pongBody({ echo: body, peer: link.peer, observed: from, now });
  if (pong.length > DATAGRAM_FRAMES_MAX_BYTES - FRAME_HEADER_BYTES) {
    counters.add("dropped.pong-too-large");
    return;
  }
  link.pongs.push(pong);
}

function takePong(body: Uint8Array, input: FrameInput): void {
  const { link, now, counters, events } = input;
  // The echo proves the address that its Ping went to. What it says counts at that address only: Pongs that were held back and then
  // sent from made-up ones would each be another block's (PROTOCOL §5.3).
  if (!link.liveness.pong(body.subarray(0, ECHO_BYTES), now.mono, link.path)) {
    counters.add("dropped.pong-unasked");
    return;
  }
  if (!link.path.isValidated) {
    link.validatePath();
    counters.add("links.validated");
    tellMove(link, events);
  }
  passUp({ kind: FRAME_KIND.pong, body }, input);
}
