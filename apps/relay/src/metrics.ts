import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What the metrics are read from, at each scrape. Nothing is counted here. */
export type MetricsSource = {
  readonly version: string;
  /** By the name of the setting. */
  readonly limits: Readonly<Record<string, number>>;
  /** Of the core and of the relay: `dropped.REASON`, `forwarded.CLASS`, `shed.LIMIT`, `handshakes.RESULT`, and more. */
  counts(): Readonly<Record<string, number>>;
  socketCounters(): ReadonlyMap<string, number>;
  /** How full each table is, by its name. */
  tables(): Readonly<Record<string, number>>;
  prices(): Readonly<Record<"send" | "publish", number>>;
  isDraining(): boolean;
};

export type Metrics = { readonly contentType: string; read(): Promise<string> };

/** A registry of its own, with what a Node process says of itself. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (set: (value: number, labels?: Readonly<Record<Label, string>>) => void) => void,
  ): void => {
    new Gauge<Label>({
      name: `starling_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        read((value, labels) => (labels === undefined ? this.set(value) : this.set(labels, value)));
      },
    });
  };
  const counter = (name: string, help: string, label: string, totals: () => Totals): void => {
    new Counter({
      name: `starling_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        // The library's counters only count up; these are counted elsewhere, so each scrape sets them anew.
        this.reset();
        for (const [value, total] of totals()) this.labels({ [label]: value }).inc(total);
      },
    });
  };
  const counts = (): Totals => Object.entries(source.counts());

  gauge("peers", "Peers connected, by kind of link.", ["link"], (set) =>
    set(source.tables().peers ?? 0, { link: "session" }),
  );
  counter("datagrams", "Datagrams taken from the UDP socket and given to it.", "direction", () =>
    directions(source, "received", "sent"),
  );
  counter("bytes", "Bytes of those datagrams, without IP and UDP headers.", "direction", () =>
    directions(source, "received.bytes", "sent.bytes"),
  );
  counter("dropped", "Datagrams, frames and messages that were not taken, by reason.", "reason", () => [
    ...withPrefix("dropped.", source.socketCounters()),
    ...withPrefix("dropped.", counts()),
  ]);
  counter("shed", "Messages refused for a limit, by which one was reached.", "limit", () =>
    withPrefix("shed.", counts()),
  );
  counter("send_failed", "Datagrams that the system did not take.", "reason", () =>
    withPrefix("send.", source.socketCounters()),
  );
  counter("forwarded", "Messages handed on for others.", "class", () => {
    const all = source.counts();
    return ["send", "publish"].map((name) => [name, all[`forwarded.${name}`] ?? 0] as const);
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
    set(source.tables().seenFilterBytes ?? 0),
  );
  gauge("stamp_price", "Least effort of a stamp on the dearest link, for each 512 bytes.", ["class"], (set) => {
    const { send, publish } = source.prices();
    set(send, { class: "send" });
    set(publish, { class: "publish" });
  });
  gauge("table_entries", "How full the tables are.", ["table"], (set) => {
    for (const [table, entries] of Object.entries(source.tables())) set(entries, { table });
  });
  gauge("limit", "Every limit, by the name of its setting.", ["name"], (set) => {
    for (const [name, value] of Object.entries(source.limits)) set(value, { name });
  });
  gauge("draining", "1 while the relay takes leave of its peers.", [], (set) => set(source.isDraining() ? 1 : 0));
  gauge("build_info", "The version, as a label.", ["version"], (set) => set(1, { version: source.version }));
  return { contentType: registry.contentType, read: () => registry.metrics() };
}

type Totals = readonly (readonly [string, number])[];

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
