import type { PeerEvent } from "@starling/local-client/server";
import type { LinkChange } from "@starling/node-core";

type Link = "session" | "channel";

/** Turns changes of links into the coming and going of peers, who may have two. BOUNDED: links. */
export class PeerEvents {
  readonly #links = new Map<string, Set<Link>>();

  /** The event, where a peer's first link opened or its last one ended. */
  onLink(change: LinkChange, wallMs: number): PeerEvent | undefined {
    // A replaced channel opens anew in the same moment; a link may open again, too, where its peer began a new life.
    if (change.type === "link-unanswered" || (change.type === "link-closed" && change.reason === "replaced")) return;
    const { peer, link } = change;
    const links = this.#links.get(peer) ?? new Set();
    const before = links.size;
    if (change.type === "link-opened") links.add(link);
    else links.delete(link);
    if (links.size === 0) this.#links.delete(peer);
    else this.#links.set(peer, links);
    if (before > 0 === links.size > 0) return undefined;
    return { type: "peer", change: links.size > 0 ? "appeared" : "gone", peer, at: wallMs };
  }
}
