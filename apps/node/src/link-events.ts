import { createLineBudget, type Log, peerText } from "@starling/daemon";
import type { LinkEvent } from "@starling/local-client/server";
import type { LinkChange } from "@starling/node-core";
import { formatAddress } from "@starling/wire-protocol";

/** A change of a link as local programs are told of it. */
export function linkEvent(change: LinkChange, wallMs: number): LinkEvent {
  const { peer } = change;
  const event = { type: "link", link: "session", peer, address: null, reason: null, at: wallMs } as const;
  switch (change.type) {
    case "link-opened": {
      const { link } = change;
      return { ...event, link, change: "opened", address: link === "channel" ? null : formatAddress(change.address) };
    }
    case "link-closed":
      return { ...event, link: change.link, change: "closed", reason: change.reason };
    case "link-unanswered":
      return { ...event, change: "unanswered", address: formatAddress(change.address) };
  }
}

const WARNED_MAX = 256;

/**
 * Logs what happens to links. Strangers can open and close them at will, so lines are rationed, and the rest counted. A peer that stays
 * away is dialled for as long as it is worth it: that is worth a warning once, not each time.
 */
export function createLinkLog(log: Log, monoMs: () => number): (event: LinkEvent) => void {
  const budget = createLineBudget();
  // BOUNDED: WARNED_MAX; the one warned of longest ago makes room.
  const warned = new Set<string>();
  return ({ change, link, peer, address, reason }) => {
    if (change === "unanswered" && warned.has(peer)) {
      log.debug({ peer, address }, "still no answer");
      return;
    }
    const { allowed, suppressed } = budget(monoMs());
    if (!allowed) return;
    const more = suppressed > 0 ? { suppressed } : {};
    if (change === "closed") log.info({ link, peer, reason: peerText(reason ?? ""), ...more }, "link closed");
    else if (change === "opened") {
      warned.delete(peer);
      log.info({ link, peer, address, ...more }, "link opened");
    } else {
      warned.add(peer);
      const [oldest] = warned;
      if (warned.size > WARNED_MAX && oldest !== undefined) warned.delete(oldest);
      log.warn({ peer, address, ...more }, "no answer; it is tried again");
    }
  };
}
