import type { Totals } from "@starling/daemon/metrics";
import type { NodeCore } from "@starling/node-core";
import { countsOf } from "./counts.ts";
import type { NodeMetrics, NodeMetricsSource } from "./metrics.ts";
import type { Rtc } from "./rtc.ts";

export type LateMetricsOptions = {
  readonly core: NodeCore;
  readonly rtc: Pick<Rtc, "stats">;
  readonly version: string;
  readonly socketCounters: () => ReadonlyMap<string, number>;
  /** Messages handed out that waited too long for a program. */
  readonly droppedCount: () => number;
};

/** The metrics of a running node. Their library is loaded by the first call: a start does not wait for it, and few nodes are scraped. */
export function lateMetrics(options: LateMetricsOptions): () => Promise<NodeMetrics> {
  let loading: Promise<NodeMetrics> | undefined;
  return () => {
    loading ??= import("./metrics.ts").then(({ nodeMetrics }) => nodeMetrics(sourceOf(options)));
    return loading;
  };
}

function sourceOf({ core, rtc, version, socketCounters, droppedCount }: LateMetricsOptions): NodeMetricsSource {
  return {
    version,
    counts: () => ({ ...countsOf(core, droppedCount()), ...droppedByRtc(rtc) }),
    socketCounters,
    peers: () => peersByLink(core),
    prices: () => core.toldPrices(),
    seenFilterBytes: () => core.seenFilterBytes,
    channels: () => rtc.stats().channels.map(({ state, count }) => [state, count]),
  };
}

function droppedByRtc(rtc: Pick<Rtc, "stats">): Record<string, number> {
  return Object.fromEntries([...rtc.stats().dropped].map(([reason, count]) => [`dropped.rtc-${reason}`, count]));
}

function peersByLink(core: NodeCore): Totals {
  const channels = new Set(core.channelPeers());
  const sessions = core.neighbours();
  const both = sessions.filter(({ id }) => channels.has(id)).length;
  return [
    ["session", sessions.length - both],
    ["channel", channels.size - both],
    ["both", both],
  ];
}
