import type { NodeId } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { Contact } from "@starling/wire-protocol";
import type { Acquaintances } from "./acquaintances.ts";
import { ConnectRequests } from "./connect-requests.ts";
import type { NodeInput } from "./input.ts";
import type { LinkChange, NodeOutput } from "./output.ts";
import type { Overlay } from "./overlay.ts";
import type { OverlayOutput } from "./overlay-options.ts";
import type { Signalling } from "./signalling.ts";
import type { SignallingOutput } from "./signalling-output.ts";

// What comes of a program's wish for a link to a peer, and what the program is told. It is a session where the program knows an
// address, else a channel.

export type LinkRequestsOptions = {
  readonly overlay: Pick<Overlay, "id" | "links" | "dial">;
  readonly signalling: Pick<Signalling, "want" | "isDialling">;
  readonly acquaintances: Pick<Acquaintances, "addressed">;
  /** Under `relayed-only` there is room for no channel, and a program is told why. */
  readonly hidesAddress: boolean;
};

type LinkRequestsOutput = OverlayOutput | SignallingOutput | NodeOutput;

export class LinkRequests {
  readonly #options: LinkRequestsOptions;
  readonly #channels = new ConnectRequests();
  readonly #sessions = new ConnectRequests();

  constructor(options: LinkRequestsOptions) {
    this.#options = options;
  }

  ask({ id, peer, address }: NodeInput & { type: "connect" }, now: Now): LinkRequestsOutput[] {
    return address === undefined ? this.#channel(id, peer, now) : this.#session(id, { id: peer, address }, now);
  }

  opened({ link, peer }: LinkChange & { type: "link-opened" }): NodeOutput[] {
    return (link === "session" ? this.#sessions : this.#channels).opened(peer);
  }

  unanswered(peer: NodeId): NodeOutput[] {
    const message = "nobody with this key answered at this address; check both";
    return this.#sessions.failed(peer, "E_NO_ROUTE", message);
  }

  channelFailed(peer: NodeId, reason: string): NodeOutput[] {
    const message = `no channel could be opened (${reason}); messages still go over relays`;
    return this.#channels.failed(peer, "E_NO_CHANNEL", message);
  }

  #channel(id: string, peer: NodeId, now: Now): LinkRequestsOutput[] {
    const { overlay, signalling, acquaintances, hidesAddress } = this.#options;
    if (peer === overlay.id)
      return [{ type: "failed", id, code: "E_BAD_ID", message: "a node has no channel to itself" }];
    if (overlay.links.channel(peer) !== undefined) return [{ type: "connected", id, peer }];
    if (!overlay.links.hasChannelRoom(true, now.mono)) {
      const message = hidesAddress
        ? "this node shows its address to its neighbours only (--ice-policy relayed-only), and a channel would; messages go over relays"
        : "this node has as many channels as it may have (--max-channels)";
      return [{ type: "failed", id, code: "E_NO_CHANNEL", message }];
    }
    if (!this.#channels.add(peer, id)) {
      return [{ type: "failed", id, code: "E_QUOTA", message: "too many channels are being opened; wait for some" }];
    }
    acquaintances.addressed(peer, now.mono);
    const outputs = signalling.want(peer, now);
    if (signalling.isDialling(peer)) return outputs;
    return [...outputs, ...this.channelFailed(peer, "tried a moment ago, or too many dials; try again later")];
  }

  #session(id: string, contact: Contact, now: Now): LinkRequestsOutput[] {
    const { id: peer } = contact;
    const { overlay } = this.#options;
    if (peer === overlay.id) return [{ type: "failed", id, code: "E_BAD_ID", message: "a node has no link to itself" }];
    if (overlay.links.session(peer) !== undefined) return [{ type: "connected", id, peer }];
    const isDialling = this.#sessions.isWaitedFor(peer);
    if (!this.#sessions.add(peer, id)) {
      return [{ type: "failed", id, code: "E_QUOTA", message: "too many links are being opened; wait for some" }];
    }
    if (isDialling) return [];
    const outputs = overlay.dial(contact, now);
    if (outputs !== undefined) return outputs;
    const message = "it was dialled too often of late; try again in some minutes";
    return this.#sessions.failed(peer, "E_NO_ROUTE", message);
  }
}
