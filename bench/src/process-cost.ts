import { readFileSync } from "node:fs";

/** Processor time of a process since its start, all its threads, in steps of 10 ms as Linux tells it; NaN where the system does not. */
export function cpuMsOf(pid: number | undefined): number {
  const fields = procFile(pid, "stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process; NaN where the system does not tell. */
export function residentMbOf(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(procFile(pid, "status"))?.[1]) / 1024;
}

function procFile(pid: number | undefined, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
