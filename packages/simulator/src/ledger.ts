import type { NodeId } from "@starling/crypto-identity";
import { nodeIdToBytes } from "@starling/crypto-identity";
import type { NodeOutput } from "@starling/node-core";
import { FRAME_KIND, lockOf } from "@starling/wire-protocol";
import { type CryptoTap, watchPlaintexts } from "./crypto-tap.ts";
import {
  bytesKey,
  COUNTED_KINDS,
  DIRECT_MESSAGE_ID,
  eachFrame,
  SEND_HOPS,
  SEND_LOCK,
  SEND_MIN_BYTES,
  SEND_RECIPIENT,
} from "./frames.ts";
import type { SimNode } from "./machine.ts";

// Every message of a run, with what it cost. A transmission is a frame of it on the wire, sending again included: Send, SendAck,
// SendFail, Direct, DirectAck. They are counted where they are sealed, in the clear, and belong to a message by lock or message
// id; which message a lock belongs to is seen at its author, who has one message open to a recipient at a time.

export type SentMessage = {
  readonly index: number;
  readonly from: SimNode;
  readonly to: SimNode;
  readonly sentMs: number;
  readonly deadlineMs: number;
  transmissions: number;
  /** Envelopes made for it; none where a Direct was enough. */
  attempts: number;
  receiptMs: number | undefined;
  /** Links that the receipt says it went over. */
  hops: number;
  deliveries: number;
  failedWith: string | undefined;
  /** One of its ends went down while it was under way. */
  endWentDown: boolean;
};

const T_BYTES = 16;
const TOPIC = "sim";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Ledger {
  readonly messages: SentMessage[] = [];
  /** Publish frames on the wire. */
  broadcasts = 0;
  /** Frames that belong to no message: after its end, or signals. */
  unattributed = 0;
  readonly violations: string[] = [];
  readonly #nowMs: () => number;
  readonly #open = new Map<string, SentMessage>();
  readonly #byKey = new Map<string, SentMessage>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Sends from one node to another; false where one is under way between them. */
  send(from: SimNode, to: SimNode, via: "any" | "relay", timeoutMs: number): SentMessage | undefined {
    const pair = pairKey(from.id, nodeIdToBytes(to.id), 0);
    if (this.#open.has(pair)) return undefined;
    const index = this.messages.length;
    const message: SentMessage = {
      index,
      from,
      to,
      sentMs: this.#nowMs(),
      deadlineMs: this.#nowMs() + timeoutMs,
      transmissions: 0,
      attempts: 0,
      receiptMs: undefined,
      hops: 0,
      deliveries: 0,
      failedWith: undefined,
      endWentDown: false,
    };
    this.messages.push(message);
    this.#open.set(pair, message);
    const content = encoder.encode(`${index}`);
    from.feed({ type: "submit", id: `${index}`, to: to.id, content, topic: TOPIC, via, timeoutMs });
    return message;
  }

  /** Hears a node's outputs. */
  hear(node: SimNode, output: NodeOutput): void {
    if (output.type === "deliver" && output.message.topic === TOPIC) {
      const message = this.messages[Number(decoder.decode(output.message.content))];
      if (message?.to !== node) {
        this.#violated(`a message reached ${node.id}, which it is not for`);
        return;
      }
      message.deliveries += 1;
      if (message.deliveries > 1) this.#violated(`message ${message.index} was delivered ${message.deliveries} times`);
    } else if (output.type === "receipt") {
      const message = this.#close(node, output.id);
      if (message === undefined) return;
      message.receiptMs = this.#nowMs();
      message.hops = output.receipt.hops;
    } else if (output.type === "failed") {
      const message = this.#close(node, output.id);
      if (message !== undefined) message.failedWith = output.code;
    }
  }

  /** A node's process is gone, and what it had open with it. */
  forget(node: SimNode): void {
    for (const [pair, message] of this.#open) {
      if (message.from !== node && message.to !== node) continue;
      message.endWentDown = true;
      if (message.from === node) this.#open.delete(pair);
    }
  }

  /** By the key of an envelope's lock (frames.ts). */
  messageOfLock(key: string): SentMessage | undefined {
    return this.#byKey.get(key);
  }

  /** Messages that are neither received, failed nor gone with their author. */
  unsettled(): SentMessage[] {
    return [...this.#open.values()];
  }

  /** For the session cryptography of this machine. */
  tap(self: () => NodeId): CryptoTap {
    return watchPlaintexts({
      opened: () => {},
      sealing: (peer, plaintext) => {
        // Most datagrams hold a Ping, a Pong or an Ack, and nothing of a message.
        eachFrame(plaintext, (kind, start, end) => {
          if (kind === FRAME_KIND.publish) this.broadcasts += 1;
          else if (COUNTED_KINDS.has(kind)) this.#count(self(), peer, kind, plaintext, start, end);
        });
      },
    });
  }

  #count(self: NodeId, peer: NodeId, kind: number, bytes: Uint8Array, start: number, end: number): void {
    const message = this.#messageOf(self, peer, kind, bytes, start, end);
    if (message === undefined) this.unattributed += 1;
    else message.transmissions += 1;
  }

  #messageOf(
    self: NodeId,
    peer: NodeId,
    kind: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): SentMessage | undefined {
    switch (kind) {
      case FRAME_KIND.send: {
        if (end - start < SEND_MIN_BYTES) return undefined;
        const key = bytesKey(bytes, start + SEND_LOCK);
        const known = this.#byKey.get(key);
        if (known !== undefined || bytes[start + SEND_HOPS] !== 0) return known;
        const message = this.#open.get(pairKey(self, bytes, start + SEND_RECIPIENT));
        if (message === undefined) return undefined;
        message.attempts += 1;
        this.#byKey.set(key, message);
        return message;
      }
      case FRAME_KIND.sendAck:
        return this.#byKey.get(bytesKey(lockOf(bytes.slice(start, start + T_BYTES)), 0));
      case FRAME_KIND.sendFail:
        return this.#byKey.get(bytesKey(bytes, start));
      case FRAME_KIND.direct: {
        const key = bytesKey(bytes, start + DIRECT_MESSAGE_ID);
        const message = this.#byKey.get(key) ?? this.#open.get(pairKey(self, nodeIdToBytes(peer), 0));
        if (message !== undefined) this.#byKey.set(key, message);
        return message;
      }
      default:
        return this.#byKey.get(bytesKey(bytes, start));
    }
  }

  #close(node: SimNode, id: string): SentMessage | undefined {
    const message = this.messages[Number(id)];
    if (message?.from !== node) return undefined;
    this.#open.delete(pairKey(node.id, nodeIdToBytes(message.to.id), 0));
    return message;
  }

  #violated(what: string): void {
    if (this.violations.length < 100) this.violations.push(what);
  }
}

function pairKey(from: NodeId, to: Uint8Array, offset: number): string {
  return from.slice(0, 24) + bytesKey(to, offset);
}
