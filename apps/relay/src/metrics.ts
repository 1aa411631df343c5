import { createMetrics, type Metrics, type MetricsSource } from "@starling/daemon/metrics";

/** What the metrics of a relay are read from, at each scrape. */
export type RelayMetricsSource = Omit<MetricsSource, "peers" | "seenFilterBytes"> & {
  /** By the name of the setting. */
  readonly limits: Readonly<Record<string, number>>;
  /** How full each table is, by its name. */
  tables(): Readonly<Record<string, number>>;
  isDraining(): boolean;
};

export function relayMetrics(source: RelayMetricsSource): Metrics {
  const metrics = createMetrics({
    ...source,
    peers: () => [["session", source.tables().peers ?? 0]],
    seenFilterBytes: () => source.tables().seenFilterBytes ?? 0,
  });
  metrics.gauge("table_entries", "How full the tables are.", ["table"], (set) => {
    for (const [table, entries] of Object.entries(source.tables())) set(entries, { table });
  });
  metrics.gauge("limit", "Every limit, by the name of its setting.", ["name"], (set) => {
    for (const [name, value] of Object.entries(source.limits)) set(value, { name });
  });
  metrics.gauge("draining", "1 while the relay takes leave of its peers.", [], (set) =>
    set(source.isDraining() ? 1 : 0),
  );
  return metrics;
}
