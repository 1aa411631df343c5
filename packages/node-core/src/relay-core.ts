import type { NodeId } from "@starling/crypto-identity";
import type { Neighbour, Now } from "@starling/peer-manager";
import type { SessionInfo } from "@starling/session";
import type { RelayInput } from "./input.ts";
import type { RelayOutput } from "./output.ts";
import type { OverlayOptions, OverlayOutput } from "./overlay.ts";
import { Overlay } from "./overlay.ts";

export type RelayCoreOptions = Omit<OverlayOptions, "role">;

/** A relay: sessions, membership and forwarding. It has no inbox and originates nothing. */
export class RelayCore {
  readonly #overlay: Overlay;

  constructor(options: RelayCoreOptions, now: Now) {
    this.#overlay = new Overlay({ ...options, role: "relay" }, now);
  }

  handle(input: RelayInput, ownNow: Now): RelayOutput[] {
    const now = this.#overlay.corrected(ownNow);
    return this.#finish(this.#overlay.handle(input, now), now);
  }

  tick(ownNow: Now): RelayOutput[] {
    const now = this.#overlay.corrected(ownNow);
    return this.#finish(this.#overlay.tick(now), now);
  }

  nextDeadline(): number | null {
    return this.#overlay.nextDeadline();
  }

  /** Says Bye to every neighbour; nothing is handled after it. */
  close(now: Now): RelayOutput[] {
    return this.#finish(this.#overlay.close(now), now);
  }

  get id(): NodeId {
    return this.#overlay.id;
  }

  neighbours(): Neighbour[] {
    return this.#overlay.neighbours();
  }

  session(id: NodeId): SessionInfo | undefined {
    return this.#overlay.links.session(id);
  }

  counts(): Record<string, number> {
    return this.#overlay.counts();
  }

  get seenFilterBytes(): number {
    return this.#overlay.seenFilterBytes;
  }

  get pendingCount(): number {
    return this.#overlay.pendingCount;
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
          outputs.push(output);
          break;
        case "arrived":
          // A relay has no program behind it (PROTOCOL §5): its author learns E_NOT_A_NODE.
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
