import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** Totals by the value of a label; those of the same value are added. */
export type Totals = readonly (readonly [value: string, total: number])[];

/** Metrics in Prometheus' text format, all named `starling_…` but those of the process. */
export type Metrics = {
  /** For what the library itself counts, such as a histogram. */
  readonly registry: Registry;
  readonly contentType: string;
  /** A gauge that `read` sets at each scrape. */
  gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (set: (value: number, labels?: Readonly<Record<Label, string>>) => void) => void,
  ): void;
  /** A counter of one label, `_total`, whose totals are counted elsewhere and read at each scrape. */
  counter(name: string, help: string, label: string, totals: () => Totals): void;
  /** A scrape: everything as it is now. */
  read(): Promise<string>;
};

/** A registry of its own, with nothing in it but what a Node process says of itself. */
export function emptyMetrics(): Metrics {
  const registry = new Registry();
  let isScraped = false;
  return {
    registry,
    contentType: registry.contentType,
    gauge(name, help, labelNames, read) {
      new Gauge({
        name: `starling_${name}`,
        help,
        labelNames: [...labelNames],
        registers: [registry],
        collect() {
          this.reset();
          read((value, labels) => (labels === undefined ? this.set(value) : this.set(labels, value)));
        },
      });
    },
    counter(name, help, label, totals) {
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
    },
    read() {
      // It looks at the event loop a hundred times a second, which a process that nobody scrapes is spared.
      if (!isScraped) collectDefaultMetrics({ register: registry });
      isScraped = true;
      return registry.metrics();
    },
  };
}
