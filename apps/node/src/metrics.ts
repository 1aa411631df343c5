import { createMetrics, type Metrics, type MetricsSource, type Totals } from "@starling/daemon/metrics";
import type { Receipt } from "@starling/local-client/server";
import { Histogram } from "prom-client";

/** What the metrics of a node are read from, at each scrape. */
export type NodeMetricsSource = MetricsSource & {
  /** Channels by state. */
  channels(): Totals;
};

export type NodeMetrics = Pick<Metrics, "read" | "contentType"> & {
  /** A message, request or reply of a program has its receipt. */
  received(receipt: Receipt): void;
};

const KINDS = ["message", "request", "reply", "broadcast"];
const PATHS: readonly Receipt["path"][] = ["channel", "session", "relayed"];
/** From what a link on one machine takes to what minting, a relay and a second try take together. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function nodeMetrics(source: NodeMetricsSource): NodeMetrics {
  const metrics = createMetrics(source);
  metrics.counter("delivered", "Messages of others for this node's programs, each once.", "class", () => {
    const all = source.counts();
    return KINDS.map((kind) => [kind, all[`delivered.${kind}`] ?? 0]);
  });
  metrics.gauge("channels", "WebRTC channels, by how far they are.", ["state"], (set) => {
    for (const [state, count] of source.channels()) set(count, { state });
  });
  const seconds = new Histogram({
    name: "starling_send_seconds",
    help: "From submitting a message, a request or a reply to its receipt, by what it went over.",
    labelNames: ["path"],
    buckets: SECONDS,
    registers: [metrics.registry],
  });
  for (const path of PATHS) seconds.zero({ path });
  return {
    read: metrics.read,
    contentType: metrics.contentType,
    received: ({ path, elapsedMs }) => seconds.observe({ path }, elapsedMs / 1000),
  };
}
