import { createLineBudget, type Log, peerText } from "@starling/daemon";
import type { LinkChange } from "@starling/node-core";
import { formatAddress } from "@starling/wire-protocol";

/** Logs what happens to links. Strangers can open and close them at will, so lines are rationed, and the rest counted. */
export function createLinkLog(log: Log, monoMs: () => number): (change: LinkChange) => void {
  const budget = createLineBudget();
  return (change) => {
    const { allowed, suppressed } = budget(monoMs());
    if (!allowed) return;
    const more = suppressed > 0 ? { suppressed } : {};
    const { peer } = change;
    switch (change.type) {
      case "link-opened":
        log.info({ peer, address: formatAddress(change.address), ...more }, "link opened");
        break;
      case "link-closed":
        log.info({ peer, reason: peerText(change.reason), ...more }, "link closed");
        break;
      case "link-unanswered":
        log.warn({ peer, address: formatAddress(change.address), ...more }, "no answer; it is tried again");
    }
  };
}
