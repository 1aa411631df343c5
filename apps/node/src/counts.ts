import type { NodeCore } from "@starling/node-core";

/** All that the core has counted; `droppedCount` is of messages that it handed out and that waited too long here. */
export function countsOf(core: NodeCore, droppedCount: number): Record<string, number> {
  const counts = core.counts();
  const tooOld = (counts["dropped.inbox-age"] ?? 0) + droppedCount;
  return tooOld > 0 ? { ...counts, "dropped.inbox-age": tooOld } : counts;
}
