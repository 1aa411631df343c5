import { PUBLISH_FLOOR, SEND_FLOOR } from "@starling/hashcash";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What the metrics are read from, at each scrape. Nothing is counted here. */
export type MetricsSource = {
  /** Of the core: `dropped.REASON`, `forwarded.CLASS`, `handshakes.RESULT`, and more. */
  coreCounts(): Readonly<Record<string, number>>;
  socketCounters(): ReadonlyMap<string, number>;
  peerCount(): number;
  seenFilterBytes(): number;
};

export type Metrics = { readonly contentType: string; read(): Promise<string> };

/** A registry of its own, with what a Node process says of itself. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  new Gauge({
    name: "starling_peers",
    help: "Peers connected, by kind of link.",
    labelNames: ["link"],
    registers: [registry],
    collect() {
      this.set({ link: "session" }, source.peerCount());
    },
  });
  new Counter({
    name: "starling_datagrams_total",
    help: "Datagrams taken from the UDP socket and given to it.",
    labelNames: ["direction"],
    registers: [registry],
    collect() {
      setTotals(this, "direction", directions(source, "received", "sent"));
    },
  });
  new Counter({
    name: "starling_bytes_total",
    help: "Bytes of those datagrams, without IP and UDP headers.",
    labelNames: ["direction"],
    registers: [registry],
    collect() {
      setTotals(this, "direction", directions(source, "received.bytes", "sent.bytes"));
    },
  });
  new Counter({
    name: "starling_dropped_total",
    help: "Datagrams, frames and messages that were not taken, by reason.",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      const ofSocket = withPrefix("dropped.", source.socketCounters());
      setTotals(this, "reason", [...ofSocket, ...withPrefix("dropped.", Object.entries(source.coreCounts()))]);
    },
  });
  new Counter({
    name: "starling_forwarded_total",
    help: "Messages handed on for others.",
    labelNames: ["class"],
    registers: [registry],
    collect() {
      const counts = source.coreCounts();
      const classes = ["send", "publish"].map((name) => [name, counts[`forwarded.${name}`] ?? 0] as const);
      setTotals(this, "class", classes);
    },
  });
  new Counter({
    name: "starling_handshakes_total",
    help: "Session handshakes, by how far they came.",
    labelNames: ["result"],
    registers: [registry],
    collect() {
      setTotals(this, "result", withPrefix("handshakes.", Object.entries(source.coreCounts())));
    },
  });
  new Gauge({
    name: "starling_seen_filter_bytes",
    help: "Memory of the filter that knows what has passed.",
    registers: [registry],
    collect() {
      this.set(source.seenFilterBytes());
    },
  });
  new Gauge({
    name: "starling_stamp_price",
    help: "Least effort of a stamp, for each 512 bytes.",
    labelNames: ["class"],
    registers: [registry],
    collect() {
      this.set({ class: "send" }, SEND_FLOOR);
      this.set({ class: "publish" }, PUBLISH_FLOOR);
    },
  });
  return { contentType: registry.contentType, read: () => registry.metrics() };
}

type Totals = readonly (readonly [string, number])[];

/** The library's counters only count up; these are counted elsewhere, so each scrape sets them anew. */
function setTotals<Label extends string>(counter: Counter<Label>, label: Label, totals: Totals): void {
  counter.reset();
  for (const [value, total] of totals) counter.labels({ [label]: value } as Record<Label, string>).inc(total);
}

function withPrefix(prefix: string, counts: Iterable<readonly [string, number]>): Totals {
  return [...counts].flatMap(([name, total]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), total] as const] : [],
  );
}

function directions(source: MetricsSource, received: string, sent: string): Totals {
  const counters = source.socketCounters();
  return [
    ["in", counters.get(received) ?? 0],
    ["out", counters.get(sent) ?? 0],
  ];
}
