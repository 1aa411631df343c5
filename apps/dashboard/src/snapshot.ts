import type { NodeStatus, PeerInfo } from "@starling/local-client/web-socket";
import type { Sample } from "./history.ts";

/** What the node answered at one moment. */
export type Snapshot = {
  /** Milliseconds since 1970, of the page's clock. */
  readonly atMs: number;
  readonly status: NodeStatus;
  readonly peers: readonly PeerInfo[];
};

/** The rates between two moments, and the median round trips at the second. Undefined where the node began anew in between. */
export function sampleBetween(before: Snapshot, after: Snapshot): Sample | undefined {
  const seconds = (after.atMs - before.atMs) / 1000;
  const rate = (name: string): number =>
    ((after.status.counters[name] ?? 0) - (before.status.counters[name] ?? 0)) / seconds;
  if (seconds <= 0 || after.status.uptimeMs < before.status.uptimeMs) return undefined;
  const median = (isWanted: (link: PeerInfo["link"]) => boolean): number | null =>
    medianOf(after.peers.filter(({ link }) => isWanted(link)).flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])));
  return {
    at: after.atMs / 1000,
    sentPerSecond: rate("udp.sent"),
    receivedPerSecond: rate("udp.received"),
    bytesPerSecond: rate("udp.sent.bytes") + rate("udp.received.bytes"),
    channelRttMs: median((link) => link !== "session"),
    sessionRttMs: median((link) => link === "session"),
  };
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
