import type { RelayStatus } from "./status.ts";

const REASONS_SHOWN = 6;

/** What a person wants to see of a relay: how full, how fast (between two looks), and what is refused. */
export function statusText(status: RelayStatus, before: RelayStatus): string {
  const { id, health, version, metrics } = status;
  const seconds = Math.max(0.001, (status.atMs - before.atMs) / 1000);
  const total = (name: string): number => metrics[name] ?? 0;
  const rate = (name: string): number => Math.max(0, total(name) - (before.metrics[name] ?? 0)) / seconds;
  const limit = (name: string): string => count(total(`limit{name="${name}"}`));
  const table = (name: string): number => total(`table_entries{table="${name}"}`);
  const traffic = (direction: string): string =>
    `${count(rate(`datagrams_total{direction="${direction}"}`))} datagrams/s  ${size(rate(`bytes_total{direction="${direction}"}`))}/s`;
  const ofClass = (name: string): string =>
    `${name} ${count(rate(`forwarded_total{class="${name}"}`))}/s (${count(total(`forwarded_total{class="${name}"}`))})`;
  const busiest = (metric: string): string => {
    const rows = Object.keys(metrics)
      .filter((name) => name.startsWith(`${metric}{`) && total(name) > 0)
      .map((name) => ({ label: /"(.*)"/.exec(name)?.[1] ?? "", perSecond: rate(name), all: total(name) }))
      .toSorted((a, b) => b.perSecond - a.perSecond || b.all - a.all);
    const shown = rows
      .slice(0, REASONS_SHOWN)
      .map(({ label, perSecond, all }) => `${label} ${count(perSecond)}/s (${count(all)})`);
    return shown.length === 0 ? "nothing" : shown.join("  ");
  };
  const uptimeS = Date.now() / 1000 - total("process_start_time_seconds");
  const rows: readonly (readonly [string, string])[] = [
    ["peers", `${count(table("peers"))} of ${limit("max-peers")}`],
    ["in", traffic("in")],
    ["out", traffic("out")],
    ["forwarded", `${ofClass("send")}  ${ofClass("publish")}`],
    ["under way", `${count(table("underWay"))} of ${limit("max-pending")}, ${size(table("queuedBytes"))} queued`],
    ["handshakes", busiest("handshakes_total")],
    ["shed", busiest("shed_total")],
    [
      "price",
      `${count(total('stamp_price{class="send"}'))} hashes for 512 bytes on the dearest link, ${count(table("waiting"))} waiting`,
    ],
    ["dropped", busiest("dropped_total")],
    ...(total('clock_total{event="set-back"}') > 0
      ? [["clock", "E_CLOCK: it was set back by more than 150 s; set it right (NTP)"] as const]
      : []),
    [
      "process",
      `${size(total("process_resident_memory_bytes"))}, ${(100 * rate("process_cpu_seconds_total")).toFixed(0)} % of a core, up ${duration(uptimeS)}`,
    ],
  ];
  return [
    `${id}  ${health}  version ${version}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(11)}${text}`),
    "",
  ].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${count(bytes / 1000 ** power)} ${units[power]}`;
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}
