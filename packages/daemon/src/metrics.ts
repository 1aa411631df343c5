import { emptyMetrics, type Metrics, type Totals } from "./metric-families.ts";

export type { Metrics, Totals } from "./metric-families.ts";

// What a relay and a node have both to tell, under one name each, so that one dashboard reads both. Labels hold names that stand in
// the code: nothing that a peer says becomes one.

/** What a program around a core has counted. It is read at each scrape; nothing is counted here. */
export type MetricsSource = {
  readonly version: string;
  /** By name: `dropped.REASON`, `forwarded.CLASS`, `shed.LIMIT`, `handshakes.RESULT`, and more; those of channels begin with `channel.`. */
  counts(): Readonly<Record<string, number>>;
  /** Of the UDP socket. */
  socketCounters(): ReadonlyMap<string, number>;
  /** How many have which links: each peer once, so that their sum is the number of peers. */
  peers(): Totals;
  /** Expected hashes of a stamp for 512 bytes: what a relay asks, what a node is asked for. */
  prices(): Readonly<Record<"send" | "publish", number>>;
  /** Memory of the filter that knows repeats. */
  seenFilterBytes(): number;
};

/** The metrics of a program around a core, to which it adds its own. */
export function createMetrics(source: MetricsSource): Metrics {
  const metrics = emptyMetrics();
  const { gauge, counter } = metrics;
  const counts = (): Totals => Object.entries(source.counts());
  const socketCounts = (): Totals => [...source.socketCounters()];

  gauge("peers", "Peers connected, by kind of link.", ["link"], (set) => {
    for (const [link, count] of source.peers()) set(count, { link });
  });
  counter("datagrams", "Datagrams taken from the UDP socket and given to it.", "direction", () =>
    directions(source, "received", "sent"),
  );
  counter("bytes", "Bytes of those datagrams, without IP and UDP headers.", "direction", () =>
    directions(source, "received.bytes", "sent.bytes"),
  );
  counter("dropped", "Datagrams, frames and messages that were not taken, by reason.", "reason", () => [
    ...withPrefix("dropped.", socketCounts()),
    ...withPrefix("dropped.", counts()),
  ]);
  counter("shed", "Messages refused for a limit, by which one was reached.", "limit", () =>
    withPrefix("shed.", counts()),
  );
  counter("send_failed", "Datagrams that the system did not take.", "reason", () =>
    withPrefix("send.", socketCounts()),
  );
  counter("forwarded", "Messages handed on for others.", "class", () => {
    const all = source.counts();
    return ["send", "publish"].map((name) => [name, all[`forwarded.${name}`] ?? 0]);
  });
  counter("handshakes", "Session handshakes, by how far they came.", "result", () =>
    withPrefix("handshakes.", counts()),
  );
  counter("links", "What happened to links.", "event", () => withPrefix("links.", counts()));
  counter("clock", "Times that this clock was found wrong (E_CLOCK).", "event", () => withPrefix("clock.", counts()));
  counter("frames", "Reliable frames: sent, sent again, and handed back without an ack.", "result", () =>
    withPrefix("frames.", counts()),
  );
  gauge("broadcast_redundancy", "Copies received of each broadcast, on average; 1 is none too many.", [], (set) => {
    const all = source.counts();
    const first = all["received.publish"] ?? 0;
    set(first === 0 ? 1 : (first + (all["received.publish-again"] ?? 0)) / first);
  });
  gauge("seen_filter_bytes", "Memory of the filter that knows what has passed.", [], (set) =>
    set(source.seenFilterBytes()),
  );
  gauge(
    "stamp_price",
    "Effort of a stamp for each 512 bytes: the most a relay asks, the middle a node is asked.",
    ["class"],
    (set) => {
      const { send, publish } = source.prices();
      set(send, { class: "send" });
      set(publish, { class: "publish" });
    },
  );
  gauge("build_info", "The version, as a label.", ["version"], (set) => set(1, { version: source.version }));
  return metrics;
}

/** What is counted under such names, over sessions and over channels. */
function withPrefix(prefix: string, counts: Totals): Totals {
  return counts.flatMap(([counted, total]) => {
    const name = counted.startsWith("channel.") ? counted.slice("channel.".length) : counted;
    return name.startsWith(prefix) ? [[name.slice(prefix.length), total] as const] : [];
  });
}

function directions(source: MetricsSource, received: string, sent: string): Totals {
  const counters = source.socketCounters();
  return [
    ["in", counters.get(received) ?? 0],
    ["out", counters.get(sent) ?? 0],
  ];
}
