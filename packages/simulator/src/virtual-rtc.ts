import type { NodeInput, RtcCommand } from "@starling/node-core";
import type { Description } from "@starling/wire-protocol";
import type { EventQueue } from "./event-queue.ts";

// Virtual WebRTC: what the hub of rtc-transport does, without sockets. Two channels are one pipe once each has the other's
// description; messages then come whole, once and in order, or, after the pipe is cut, not at all.

const GATHER_MS = 20;
const OPEN_MS = 120;

type End = {
  readonly channel: string;
  readonly owner: number;
  readonly feed: (input: NodeInput) => void;
  other: End | undefined;
  isOpen: boolean;
  isClosed: boolean;
  /** Nothing gets through any more, and neither end is told. */
  isCut: boolean;
};

export class VirtualRtc {
  readonly #queue: EventQueue;
  readonly #latencyMs: () => number;
  readonly #ends = new Map<string, End>();
  /** Nothing gets through any channel any more, and nobody is told. */
  isCut = false;
  /** Whether two ends can reach each other at all; else they try until they are cancelled. */
  hasPath = true;
  /** Machines whose ends never open, though they describe them. BOUNDED: by the machines of the world. */
  readonly mute: Set<number> = new Set();

  constructor(queue: EventQueue, latencyMs: () => number) {
    this.#queue = queue;
    this.#latencyMs = latencyMs;
  }

  /** Channels that are neither closed nor cancelled. */
  get liveCount(): number {
    return this.#ends.size;
  }

  /** `owner` is the machine that asks, `feed` its process. */
  perform(command: RtcCommand, owner: number, feed: (input: NodeInput) => void): void {
    const { channel } = command;
    switch (command.type) {
      case "rtc-offer":
        this.#describe(this.#end(channel, owner, feed));
        break;
      case "rtc-accept": {
        const end = this.#end(channel, owner, feed);
        end.other = this.#ends.get(command.description.ufrag);
        this.#describe(end);
        break;
      }
      case "rtc-answer": {
        const end = this.#ends.get(channel);
        if (end === undefined) return;
        end.other = this.#ends.get(command.description.ufrag);
        this.#open(end);
        break;
      }
      case "rtc-candidate":
        break;
      case "rtc-send":
        this.#send(channel, command.message);
        break;
      case "rtc-sever":
        this.#sever(channel);
        break;
      case "rtc-close":
        this.#close(channel);
    }
  }

  /** A machine's process is gone, and its channels with it; the other ends find out by themselves. */
  vanished(owner: number): void {
    for (const end of this.#ends.values()) {
      if (end.owner !== owner) continue;
      end.isClosed = true;
      this.#ends.delete(end.channel);
    }
  }

  #end(channel: string, owner: number, feed: (input: NodeInput) => void): End {
    const end: End = { channel, owner, feed, other: undefined, isOpen: false, isClosed: false, isCut: false };
    this.#ends.set(channel, end);
    return end;
  }

  #describe(end: End): void {
    const description: Description = {
      setup: "actpass",
      ufrag: end.channel,
      pwd: "0123456789abcdefghijkl",
      fingerprint: new Uint8Array(32),
      candidates: [],
    };
    this.#later(GATHER_MS, end, { type: "rtc-described", channel: end.channel, description });
  }

  #open(end: End): void {
    const { other } = end;
    if (other === undefined || !this.hasPath || this.mute.has(end.owner) || this.mute.has(other.owner)) return;
    for (const each of [end, other]) {
      this.#queue.at(this.#queue.nowMs + OPEN_MS + this.#latencyMs(), () => {
        if (each.isClosed) return;
        each.isOpen = true;
        each.feed({ type: "rtc-opened", channel: each.channel });
      });
    }
  }

  #send(channel: string, message: Uint8Array): void {
    const end = this.#ends.get(channel);
    if (!end?.isOpen || end.other === undefined || this.#isSevered(end)) return;
    const { other } = end;
    this.#queue.at(this.#queue.nowMs + this.#latencyMs(), () => {
      if (!other.isClosed && !this.#isSevered(end))
        other.feed({ type: "rtc-message", channel: other.channel, message });
    });
  }

  #close(channel: string): void {
    const end = this.#ends.get(channel);
    if (end === undefined) return;
    end.isClosed = true;
    this.#ends.delete(channel);
    if (end.other !== undefined && !this.#isSevered(end)) {
      this.#later(this.#latencyMs(), end.other, { type: "rtc-closed", channel: end.other.channel, reason: "remote" });
    }
  }

  #sever(channel: string): void {
    const end = this.#ends.get(channel);
    if (end === undefined) return;
    end.isCut = true;
    if (end.other !== undefined) end.other.isCut = true;
  }

  #isSevered(end: End): boolean {
    return end.isCut || this.isCut;
  }

  #later(afterMs: number, end: End, input: NodeInput): void {
    this.#queue.at(this.#queue.nowMs + afterMs, () => {
      if (end.isClosed) return;
      if (input.type === "rtc-closed") {
        end.isClosed = true;
        this.#ends.delete(end.channel);
      }
      end.feed(input);
    });
  }
}
