import type { NodeId } from "@starling/crypto-identity";
import { stampFloor } from "@starling/hashcash";
import type { Neighbour, Now } from "@starling/peer-manager";
import type { SessionInfo } from "@starling/session";
import type { Address } from "@starling/wire-protocol";
import type { DeliveryOptions, DeliveryOutput } from "./delivery.ts";
import { Delivery } from "./delivery.ts";
import type { NodeInput } from "./input.ts";
import type { OutboxOutput } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import type { NodeOutput } from "./output.ts";
import type { OverlayOptions, OverlayOutput } from "./overlay.ts";
import { Overlay } from "./overlay.ts";
import { Publisher, type PublisherOutput } from "./publisher.ts";

export type NodeCoreOptions = Omit<OverlayOptions, "role"> & Partial<Pick<DeliveryOptions, "waiting" | "delivered">>;

type Step = OverlayOutput | OutboxOutput | DeliveryOutput | PublisherOutput;

/** A node: the overlay, the outbox of its programs and the delivery to them. One input, the time, and what should happen. */
export class NodeCore {
  readonly #overlay: Overlay;
  readonly #outbox: Outbox;
  readonly #publisher: Publisher;
  readonly #delivery: Delivery;

  constructor(options: NodeCoreOptions, now: Now) {
    const { identity, network, random, waiting = [], delivered = [] } = options;
    const floor = options.floor ?? ((sizeBytes: number) => stampFloor("send", sizeBytes));
    this.#overlay = new Overlay({ ...options, floor, role: "node" }, now);
    this.#outbox = new Outbox({ identity, network, random, floor });
    const publishFloor = options.publishFloor ?? ((sizeBytes: number) => stampFloor("publish", sizeBytes));
    this.#publisher = new Publisher({ identity, network, random, floor: publishFloor });
    this.#delivery = new Delivery({ identity, network, counters: this.#overlay.counters, waiting, delivered }, now);
  }

  handle(input: NodeInput, now: Now): NodeOutput[] {
    return this.#finish(this.#first(input, now), now);
  }

  tick(now: Now): NodeOutput[] {
    this.#delivery.tick(now);
    return this.#finish([...this.#overlay.tick(now), ...this.#outbox.tick(now)], now);
  }

  nextDeadline(): number | null {
    const deadlines = [this.#overlay.nextDeadline(), this.#outbox.nextDeadline(), this.#delivery.nextDeadline()];
    const due = deadlines.filter((deadline) => deadline !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Says Bye to every neighbour; nothing is handled after it. */
  close(now: Now): NodeOutput[] {
    return this.#finish(this.#overlay.close(now), now);
  }

  get id(): NodeId {
    return this.#overlay.id;
  }

  get observed(): Address | undefined {
    return this.#overlay.observed;
  }

  neighbours(): Neighbour[] {
    return this.#overlay.neighbours();
  }

  anchors(): NodeId[] {
    return this.#overlay.anchors();
  }

  session(id: NodeId): SessionInfo | undefined {
    return this.#overlay.session(id);
  }

  counts(): Record<string, number> {
    return this.#overlay.counts();
  }

  /** Messages written and not handed to a program yet. */
  get waitingCount(): number {
    return this.#delivery.waitingCount;
  }

  #first(input: NodeInput, now: Now): Step[] {
    switch (input.type) {
      case "datagram":
        return this.#overlay.handle(input, now);
      case "submit":
        return this.#outbox.submit(input, now);
      case "broadcast":
        return this.#publisher.broadcast(input, now);
      case "cancel":
        return this.#outbox.cancel(input.id);
      case "minted":
        return [...this.#outbox.minted(input.job, input.nonce, now), ...this.#publisher.minted(input.job, input.nonce)];
      case "mint-failed":
        return [...this.#outbox.mintFailed(input.job, now), ...this.#publisher.mintFailed(input.job)];
      case "stored":
        return this.#delivery.stored(input.key, input.ok, now);
      case "listening":
        return this.#delivery.listening(input.on);
    }
  }

  /** Follows each step to its end: what one part asks of another is a step, what is left is for the outside. */
  #finish(first: readonly Step[], now: Now): NodeOutput[] {
    const outputs: NodeOutput[] = [];
    const steps = [...first];
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      switch (step.type) {
        case "arrived":
          steps.push(...this.#delivery.arrived(step.id, step.send, now));
          break;
        case "settled":
          steps.push(...this.#outbox.settled(step.id, step.outcome, now));
          break;
        case "acknowledge":
          steps.push(...this.#overlay.delivered(step.id, step.t, now));
          break;
        case "refuse":
          steps.push(...this.#overlay.refused(step.id, step.reason, step.t, now));
          break;
        case "originate": {
          const { attempt, to: recipient, avoidRecipient } = step;
          const { id, lock, encodedEnvelope, digest } = attempt;
          const origination = { id, lock, recipient, encodedEnvelope, avoidRecipient };
          steps.push(...this.#overlay.originate(origination, digest, now));
          break;
        }
        case "publish":
          this.#overlay.publish(step.publication, step.digest, now);
          break;
        case "published": {
          const { origin: from, topic, content } = step.publication;
          const message = { messageId: step.id, from, topic, content: content.slice(), receivedAtMs: now.wall };
          outputs.push({ type: "deliver-broadcast", message });
          break;
        }
        default:
          outputs.push(step);
      }
    }
    outputs.push(...this.#overlay.flush(now));
    return outputs;
  }
}
