import type { RelayCore } from "@starling/node-core";
import type { AccessLists } from "./access-lists.ts";

/** How full the tables of a relay are, by the names of the metric `starling_table_entries`. */
export function relayTables(core: RelayCore, { counts }: AccessLists): Record<string, number> {
  let queuedBytes = 0;
  const sessions = core.sessions();
  for (const session of sessions) queuedBytes += session.queuedBytes;
  return {
    peers: sessions.length,
    underWay: core.openCount,
    pending: core.pendingCount,
    waiting: core.waitingCount,
    recipients: core.recipientCount,
    queuedBytes,
    fragmentBytes: core.reassemblyBytes,
    seenFilterBytes: core.seenFilterBytes,
    allowed: counts.allow,
    denied: counts.deny,
  };
}
