// Packs what a link has to send into as few datagrams as will hold it: Pongs and the Ping first, then frames that are sent
// once, then numbered ones; an owed Ack rides on whatever leaves, and alone only when its time has come.
import {
  DATA_OVERHEAD_BYTES,
  ECHO_BYTES,
  encodeAck,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  frameSizeBytes,
  type NumberedFrame,
  writeFrame,
} from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { Transmit } from "./event.ts";
import type { Link } from "./link.ts";
import { frameInFlight } from "./outgoing.ts";

/** Frames that a queue of others must not hold back: they say how the link is, and carry nothing. */
const CONTROL_KINDS: ReadonlySet<number> = new Set([FRAME_KIND.ping, FRAME_KIND.pong, FRAME_KIND.ack]);

export type LinkTransmit = Transmit & {
  /** Nothing but Pings, Pongs and Acks: it may go ahead of what was sent before. */
  readonly isControl: boolean;
};

export type OutputContext = {
  readonly nowMono: number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly counters: Counters;
  readonly transmits: { push(transmit: LinkTransmit): unknown };
  /** As much room as the carrier has for frames, used again for every datagram: sealing copies out of it. */
  readonly scratch: Uint8Array;
};

/** One datagram after another, each opened when a frame needs it. */
class Packer {
  readonly #link: Link;
  readonly #context: OutputContext;
  #usedBytes = 0;
  #roomBytes = 0;
  #isOpen = false;
  #isControl = true;

  constructor(link: Link, context: OutputContext) {
    this.#link = link;
    this.#context = context;
  }

  /** False when the frame cannot leave now: the pace or the path's allowance is used up. */
  put(frame: NumberedFrame): boolean {
    const sizeBytes = frameSizeBytes(frame.kind, frame.body.length);
    if (this.#isOpen && this.#usedBytes + sizeBytes > this.#roomBytes) this.close();
    if (!this.#isOpen && !this.#open(sizeBytes)) return false;
    this.#usedBytes = writeFrame(this.#context.scratch, this.#usedBytes, frame);
    this.#isControl &&= CONTROL_KINDS.has(frame.kind);
    return true;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#addAck();
    const { path, current, traffic } = this.#link;
    const datagram = current.seal(this.#context.scratch.subarray(0, this.#usedBytes));
    path.sent(datagram.length);
    traffic.sentDatagrams += 1;
    traffic.sentBytes += datagram.length;
    this.#context.transmits.push({ to: path.address, datagram, isControl: this.#isControl });
  }

  #open(sizeBytes: number): boolean {
    const { carrier, path, pacer, liveness } = this.#link;
    const roomBytes = Math.min(carrier.framesMaxBytes, path.roomBytes() - DATA_OVERHEAD_BYTES);
    if (sizeBytes > roomBytes || !pacer.take(this.#context.nowMono, liveness.rttMs)) return false;
    this.#isOpen = true;
    this.#isControl = true;
    this.#usedBytes = 0;
    this.#roomBytes = roomBytes;
    return true;
  }

  /** An Ack in the room that is left. */
  #addAck(): void {
    const { receiver } = this.#link;
    if (receiver.ackDueMono === Number.POSITIVE_INFINITY) return;
    const body = encodeAck(receiver.ack());
    if (this.#usedBytes + FRAME_HEADER_BYTES + body.length > this.#roomBytes) return;
    this.#usedBytes = writeFrame(this.#context.scratch, this.#usedBytes, {
      kind: FRAME_KIND.ack,
      number: undefined,
      body,
    });
    receiver.ackSent();
  }
}

export function flushLink(link: Link, context: OutputContext): void {
  const { nowMono, counters } = context;
  const packer = new Packer(link, context);
  // What is sent once and cannot leave now is lost, like any datagram: it is never worth a queue.
  for (const body of link.pongs) packer.put({ kind: FRAME_KIND.pong, number: undefined, body });
  link.pongs = [];
  putPing(link, packer, context);
  putUnreliable(link, packer);
  for (const entry of link.sender.due(nowMono)) {
    if (!packer.put(frameInFlight(entry))) break;
    counters.add(entry.tries === 0 ? "frames.sent" : "frames.resent");
    link.traffic.sentFrames += 1;
    if (entry.tries > 0) {
      link.traffic.resentFrames += 1;
      // What was sent twice tells no round trip (RFC 6298 §3). A Ping along with it does: without it a path that became slower than
      // its estimate would have every frame sent twice until the next regular one.
      link.liveness.ask(nowMono);
    }
    link.sender.sent(entry, link.carrier.isReliable ? Number.POSITIVE_INFINITY : link.liveness.rtoMs(), nowMono);
  }
  putPing(link, packer, context);
  packer.close();
  const { receiver } = link;
  if (receiver.ackDueMono <= nowMono) {
    const body = encodeAck(receiver.ack());
    if (packer.put({ kind: FRAME_KIND.ack, number: undefined, body })) receiver.ackSent();
    packer.close();
  }
}

function putPing({ liveness, path }: Link, packer: Packer, context: OutputContext): void {
  if (!liveness.isPingOwed) return;
  liveness.isPingOwed = false;
  const body = context.random(ECHO_BYTES);
  if (packer.put({ kind: FRAME_KIND.ping, number: undefined, body })) liveness.ping(body, context.nowMono, path);
}

function putUnreliable(link: Link, packer: Packer): void {
  if (link.unreliable.length === 0) return;
  let sentCount = 0;
  for (const { kind, body } of link.unreliable) {
    if (!packer.put({ kind, number: undefined, body })) break;
    link.unreliableBytes -= frameSizeBytes(kind, body.length);
    sentCount += 1;
  }
  link.unreliable = link.unreliable.slice(sentCount);
}
