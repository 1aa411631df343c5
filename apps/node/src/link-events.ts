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

/** Logs what happens to links. Strangers can open and close them at will, so lines are rationed, and the rest counted. */
export function createLinkLog(log: Log, monoMs: () => number): (event: LinkEvent) => void {
  const budget = createLineBudget();
  return ({ change, link, peer, address, reason }) => {
    const { allowed, suppressed } = budget(monoMs());
    if (!allowed) return;
    const more = suppressed > 0 ? { suppressed } : {};
    if (change === "opened") log.info({ link, peer, address, ...more }, "link opened");
    else if (change === "closed") log.info({ link, peer, reason: peerText(reason ?? ""), ...more }, "link closed");
    else log.warn({ peer, address, ...more }, "no answer; it is tried again");
  };
}
