import type { NodeId } from "@starling/crypto-identity";
import type { Neighbour, Now } from "@starling/peer-manager";
import type { SessionInfo } from "@starling/session";
import type { RelayInput } from "./input.ts";
import type { RelayOutput } from "./output.ts";
import { Overlay } from "./overlay.ts";
import type { OverlayOptions, OverlayOutput } from "./overlay-options.ts";
import type { Prices } from "./told-prices.ts";

/** All that a relay is handed from outside. */
export type RelayCoreInput =
  | RelayInput
  /** End the session with this peer: its operator no longer wants it. */
  | { readonly type: "hang-up"; readonly peer: NodeId };

/** What a relay is made of; see NodeCoreOptions. */
export type RelayCoreOptions = Omit<OverlayOptions, "role">;

/** A relay: sessions, membership and forwarding. It has no inbox and originates nothing. */
export class RelayCore {
  readonly #overlay: Overlay;

  constructor(options: RelayCoreOptions, now: Now) {
    this.#overlay = new Overlay({ ...options, role: "relay" }, now);
  }

  /** What should happen, in order, after one input. Never throws for what a stranger sent. */
  handle(input: RelayCoreInput, ownNow: Now): RelayOutput[] {
    return this.handleAll([input], ownNow);
  }

  /** Several inputs of one moment: their frames may share datagrams. */
  handleAll(inputs: readonly RelayCoreInput[], ownNow: Now): RelayOutput[] {
    const now = this.#overlay.corrected(ownNow);
    const outputs: OverlayOutput[] = [];
    for (const input of inputs) for (const output of this.#take(input, now)) outputs.push(output);
    return this.#finish(outputs, now);
  }

  /** What is due; early, late and repeated calls do no harm. */
  tick(ownNow: Now): RelayOutput[] {
    const now = this.#overlay.corrected(ownNow);
    return this.#finish(this.#overlay.tick(now), now);
  }

  /** The monotonic time, ms, at which `tick` has something to do; null: nothing is under way. */
  nextDeadline(): number | null {
    return this.#overlay.nextDeadline();
  }

  /** Says Bye to every neighbour; nothing is handled after it. */
  close(now: Now): RelayOutput[] {
    return this.#finish(this.#overlay.close(now), now);
  }

  /** This relay's key. */
  get id(): NodeId {
    return this.#overlay.id;
  }

  /** The peers with an open session. */
  neighbours(): Neighbour[] {
    return this.#overlay.membership.neighbours();
  }

  /** Every open session, with its traffic. */
  sessions(): SessionInfo[] {
    return this.#overlay.links.sessions();
  }

  /** The peer on whose link a datagram says that it comes; undefined for all others. It is not opened, so another may have sent it. */
  peerOf(datagram: Uint8Array): NodeId | undefined {
    return this.#overlay.links.peerOf(datagram);
  }

  /** The session with a peer, if one is open. */
  session(id: NodeId): SessionInfo | undefined {
    return this.#overlay.links.session(id);
  }

  /** A copy of every counter by name: what was carried, dropped (`dropped.REASON`) and shed. */
  counts(): Record<string, number> {
    return this.#overlay.counts();
  }

  /** Efforts for 512 bytes that this relay asks for on its dearest link: above the floors while that link is congested. */
  askedPrices(nowMono: number): Prices {
    return this.#overlay.askedPrices(nowMono);
  }

  /** Room that half received messages of all peers have been given. */
  get reassemblyBytes(): number {
    return this.#overlay.links.reassemblyBytes;
  }

  /** Bytes of the filter that knows repeats. */
  get seenFilterBytes(): number {
    return this.#overlay.forwarding.seenFilterBytes;
  }

  /** Envelopes that are known: those under way, and those kept for repeats. */
  get pendingCount(): number {
    return this.#overlay.forwarding.pendingCount;
  }

  /** Messages that wait for their turn to be carried. */
  get waitingCount(): number {
    return this.#overlay.forwarding.waitingCount;
  }

  /** Envelopes under way. */
  get openCount(): number {
    return this.#overlay.forwarding.openCount;
  }

  /** Recipients whose rate is being watched. */
  get recipientCount(): number {
    return this.#overlay.forwarding.recipientCount;
  }

  #take(input: RelayCoreInput, now: Now): OverlayOutput[] {
    return input.type === "hang-up" ? this.#overlay.closeSession(input.peer, now) : this.#overlay.handle(input, now);
  }

  #finish(overlayOutputs: readonly OverlayOutput[], now: Now): RelayOutput[] {
    const outputs: RelayOutput[] = [];
    for (const output of overlayOutputs) {
      switch (output.type) {
        case "transmit":
        case "link-opened":
        case "link-closed":
        case "link-unanswered":
        case "save-peers":
        case "save-freshness-bound":
        case "clock-set-back":
          outputs.push(output);
          break;
        case "arrived":
          // A relay has no program behind it (PROTOCOL §7.6): its author learns E_NOT_A_NODE.
          this.#overlay.refused(output.id, "no-inbox", undefined, now);
          break;
        case "direct-arrived":
          this.#overlay.answerDirect(output.peer, output.body.messageId, "no-inbox", now);
          break;
        default:
        // It originates nothing, delivers nothing and hears no broadcast: those are a node's.
      }
    }
    for (const output of this.#overlay.flush(now)) if (output.type === "transmit") outputs.push(output);
    return outputs;
  }
}
