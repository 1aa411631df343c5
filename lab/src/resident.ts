import { readFileSync } from "node:fs";

/** What a process has in memory, in bytes. */
export function residentBytes(pid: number | undefined): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return 1_024 * Number(found?.[1]);
}
