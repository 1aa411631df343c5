import { readFileSync } from "node:fs";

// What passes the loopback interface while something runs, where this process has a network namespace for itself (it is told so by its
// environment). Both sides count with this file; it imports nothing that the peers' programs have not.

type Wire = { readonly bytes: number; readonly packets: number };

/** Bytes with IP headers and packets so far; null where others pass it too. */
function counted(): Wire | null {
  if (process.env.BENCH_ALONE !== "1") return null;
  const lines = readFileSync("/proc/net/dev", "utf8").split("\n");
  const [, counts = ""] = lines.find((line) => line.trim().startsWith("lo:"))?.split(":") ?? [];
  const [bytes = Number.NaN, packets = Number.NaN] = counts.trim().split(/\s+/).map(Number);
  return { bytes, packets };
}

/** What `run` resolves to, how long it took, and what passed meanwhile. */
export async function onTheWire<Found extends object>(
  run: () => Promise<Found>,
): Promise<Found & { readonly tookMs: number; readonly wire: Wire | null }> {
  const before = counted();
  const start = performance.now();
  const found = await run();
  const tookMs = performance.now() - start;
  const after = counted();
  const wire = before && after && { bytes: after.bytes - before.bytes, packets: after.packets - before.packets };
  return { ...found, tookMs, wire };
}
