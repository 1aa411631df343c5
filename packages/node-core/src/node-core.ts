import type { NodeId } from "@starling/crypto-identity";
import { stampFloor } from "@starling/hashcash";
import type { Neighbour, Now } from "@starling/peer-manager";
import type { SessionInfo } from "@starling/session";
import { type Address, hexToBytes, MESSAGE_ID_BYTES } from "@starling/wire-protocol";
import { Delivery, type DeliveryOptions, type DeliveryOutput, type ReturnPath } from "./delivery.ts";
import type { NodeInput, Reply } from "./input.ts";
import { OpenRequests } from "./open-requests.ts";
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
  readonly #requests = new OpenRequests();

  constructor(options: NodeCoreOptions, now: Now) {
    const { identity, network, random, waiting = [], delivered = [] } = options;
    const floor = options.floor ?? ((sizeBytes: number) => stampFloor("send", sizeBytes));
    this.#overlay = new Overlay({ ...options, floor, role: "node" }, now);
    this.#outbox = new Outbox({ identity, network, random, floor, linkTo: (peer) => this.#linkTo(peer) });
    const publishFloor = options.publishFloor ?? ((sizeBytes: number) => stampFloor("publish", sizeBytes));
    this.#publisher = new Publisher({ identity, network, random, floor: publishFloor });
    this.#delivery = new Delivery({ identity, network, counters: this.#overlay.counters, waiting, delivered }, now);
  }

  handle(input: NodeInput, now: Now): NodeOutput[] {
    return this.#finish(this.#first(input, now), now);
  }

  tick(now: Now): NodeOutput[] {
    const steps = [...this.#overlay.tick(now), ...this.#outbox.tick(now), ...this.#delivery.tick(now)];
    return this.#finish(steps, now);
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
      case "request": {
        const kind = input.type === "submit" ? "message" : "request";
        return this.#outbox.submit({ ...input, kind, requestId: undefined }, now);
      }
      case "reply":
        return this.#reply(input, now);
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
        case "direct-arrived":
          steps.push(...this.#delivery.arrivedDirect(step.peer, "session", step.body, now));
          break;
        case "direct-answered":
          steps.push(...this.#outbox.directAnswered(step.peer, "session", step.messageId, step.result, now));
          break;
        case "acknowledge":
          steps.push(...this.#acknowledge(step.to, now));
          break;
        case "refuse":
          steps.push(...this.#refuse(step.to, step.reason, now));
          break;
        case "reply":
          steps.push(...this.#outbox.replied(step.from, step.requestId, step.content, now));
          break;
        case "deliver":
          if (step.message.kind === "request") this.#requests.add(step.message);
          outputs.push(step);
          break;
        case "send-direct":
          if (!this.#overlay.sendDirect(step.peer, step.body, now)) {
            steps.push(...this.#outbox.directRefused(step.messageId, now));
          }
          break;
        case "link-closed":
          outputs.push(step);
          steps.push(...this.#outbox.linkClosed(step.peer, now));
          break;
        case "signal":
        case "want-channel":
        case "suspect":
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

  #linkTo(peer: NodeId): { readonly path: "session"; readonly rttMs: number | undefined } | undefined {
    const session = this.#overlay.session(peer);
    return session && { path: "session", rttMs: session.rttMs };
  }

  #reply({ id, requestId, content }: Reply, now: Now): Step[] {
    const request = this.#requests.take(requestId, now.wall);
    const bytes = hexToBytes(requestId, MESSAGE_ID_BYTES);
    if (request === undefined || bytes === undefined) {
      const message = "no request with this id is open: it was answered, it ran out of time, or it was another node's";
      return [{ type: "failed", id, code: "E_NO_REQUEST", message }];
    }
    const { from: to, topic, expiresMs } = request;
    const reply = { id, kind: "reply" as const, to, topic, content, via: "any" as const, requestId: bytes };
    return this.#outbox.submit({ ...reply, timeoutMs: Math.max(1, Math.floor(expiresMs - now.wall)) }, now);
  }

  #acknowledge(to: ReturnPath, now: Now): Step[] {
    if (to.type === "send") return this.#overlay.delivered(to.id, to.t, now);
    this.#overlay.answerDirect(to.peer, to.messageId, "ok", now);
    return [];
  }

  #refuse(to: ReturnPath, reason: "full" | "shed", now: Now): Step[] {
    if (to.type === "send") return this.#overlay.refused(to.id, reason, reason === "full" ? to.t : undefined, now);
    // A Direct that could not be written is not answered: its author goes on by other ways.
    if (reason === "full") this.#overlay.answerDirect(to.peer, to.messageId, "full", now);
    return [];
  }
}
