import type { PeerEvent } from "@starling/local-client/server";
import type { LinkChange } from "@starling/node-core";

/** Turns changes of links into the coming and going of peers, who may have two. BOUNDED: links. */
export class PeerEvents {
  readonly #links = new Map<string, number>();

  /** The event, where a peer's first link opened or its last one ended. */
  onLink(change: LinkChange, wallMs: number): PeerEvent | undefined {
    if (change.type === "link-unanswered") return undefined;
    const { peer } = change;
    const before = this.#links.get(peer) ?? 0;
    const after = Math.max(0, before + (change.type === "link-opened" ? 1 : -1));
    if (after === 0) this.#links.delete(peer);
    else this.#links.set(peer, after);
    if (before > 0 === after > 0) return undefined;
    return { type: "peer", change: after > 0 ? "appeared" : "gone", peer, at: wallMs };
  }
}
