import type { NodeId } from "@starling/crypto-identity";
import { createMint } from "@starling/hashcash";
import {
  decodeMessage,
  encodeEnvelope,
  encodeSend,
  envelopeDigest,
  FRAME_KIND,
  LOCK_BYTES,
  NONCE_BYTES,
  setEnvelopeStamp,
} from "@starling/wire-protocol";
import { Attacker } from "../adversary/attacker.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { World } from "../world.ts";
import type { Strategy } from "./run.ts";

// Sends stamped envelopes over its links to somebody behind a relay, as many as its hashes allow, as the shipped protocol wants them.
// What a link asks it learns as anybody does, from the SendFails.

const SEALED_BYTES = 256;
const HASHES_A_RUN = 1 << 16;
/** A link's token bucket carries no more (node-core, DEFAULT_LINK_QUOTA). */
const LINK_PER_SECOND = 500;
/** Prices fall by this much a second at most (hashcash, FALL_PER_SECOND). */
const FALL_PER_SECOND = 0.85;
const OUTBID = 1.3;

export type SpammerOptions = {
  readonly strategy: Strategy;
  /** Of all its links together. */
  readonly hashesPerMs: number;
  /** Least effort of an envelope of this size. */
  readonly floor: number;
  /** Messages a second that the attacked relay carries. */
  readonly budget: number;
  readonly recipient: NodeId;
};

type Told = { readonly multiple: number; readonly atMs: number };

export class Spammer {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #attacker: Attacker;
  readonly #options: SpammerOptions;
  readonly #told = new Map<NodeId, Told>();
  sent = 0;

  constructor(world: World, options: SpammerOptions) {
    this.#world = world;
    this.#random = world.forkRandom();
    this.#options = options;
    this.#attacker = new Attacker(world);
    this.#attacker.onFrame = (peer, frame) => {
      const decoded = decodeMessage(frame);
      if (!decoded.ok || decoded.value.type !== "send-fail") return;
      const { reason, detail } = decoded.value;
      if (reason !== "price" && reason !== "shed") return;
      this.#told.set(peer, { multiple: Math.max(1, detail / options.floor), atMs: world.queue.nowMs });
    };
  }

  connect(contact: { readonly id: NodeId; readonly address: { readonly ip: string; readonly port: number } }): void {
    this.#attacker.connect(contact);
  }

  get linkCount(): number {
    return this.#attacker.linked.size;
  }

  attack(untilMs: number): void {
    for (const peer of this.#attacker.linked) this.#attackOver(peer, untilMs);
  }

  #attackOver(peer: NodeId, untilMs: number): void {
    const { hashesPerMs, floor } = this.#options;
    const effort = Math.ceil(floor * this.#multiple(peer));
    const perSecond = Math.min(LINK_PER_SECOND, (1000 * hashesPerMs) / this.linkCount / effort);
    const { queue } = this.#world;
    const atMs = queue.nowMs + (-Math.log(1 - this.#random.fraction()) * 1000) / perSecond;
    if (atMs > untilMs) return;
    queue.at(atMs, () => {
      this.sent += 1;
      this.#attacker.say(peer, { kind: FRAME_KIND.send, body: this.#send(effort) });
      this.#attackOver(peer, untilMs);
    });
  }

  #multiple(peer: NodeId): number {
    const { strategy, hashesPerMs, floor, budget } = this.#options;
    const { multiple, atMs } = this.#told.get(peer) ?? { multiple: 1, atMs: 0 };
    const asked = Math.max(1, multiple * FALL_PER_SECOND ** ((this.#world.queue.nowMs - atMs) / 1000));
    if (strategy === "cheapest") return asked;
    if (strategy === "outbid") return OUTBID * asked;
    return Math.max(asked, (1000 * hashesPerMs) / budget / floor);
  }

  #send(effort: number): Uint8Array {
    const { recipient } = this.#options;
    const { bytes } = this.#random;
    const encodedEnvelope = encodeEnvelope({
      recipient,
      lock: bytes(LOCK_BYTES),
      timestampMs: this.#attacker.now().wall,
      effort,
      nonce: new Uint8Array(NONCE_BYTES),
      sealedBody: bytes(SEALED_BYTES),
    });
    const digest = envelopeDigest(this.#attacker.networkName, encodedEnvelope);
    const mint = createMint({ digest, effort, startNonce: bytes(NONCE_BYTES) });
    let nonce: Uint8Array | undefined;
    while (nonce === undefined) nonce = mint.run(HASHES_A_RUN);
    setEnvelopeStamp(encodedEnvelope, effort, nonce);
    return encodeSend({ hops: 0, last: false, nonImproving: 0, encodedEnvelope });
  }
}
