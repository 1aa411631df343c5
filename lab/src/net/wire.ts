import type { HostProcess, Line } from "./host-process.ts";

/** What a wire does to UDP, each way; see native/wire.c. Probabilities are of 0 to 1, times in ms. */
export type WireSettings = {
  readonly loss?: number;
  readonly dup?: number;
  readonly reorder?: number;
  readonly delay?: number;
  readonly jitter?: number;
  readonly burst?: number;
  readonly burstend?: number;
  /** Bytes a second. */
  readonly rate?: number;
  readonly queue?: number;
  readonly seed?: number;
};

export type WireCounters = {
  readonly seen: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly sent: number;
  readonly overflowed: number;
};

/** The wire between a host, or a router, and the public net. */
export class Wire {
  readonly #process: HostProcess;

  constructor(process: HostProcess) {
    this.#process = process;
  }

  /** Changes it under way; what waits in it keeps its time. */
  async set(settings: WireSettings): Promise<void> {
    await this.#tell(wireArguments(settings).join(" "));
  }

  /** What it did so far: `out` is from the host, `in` is to it. */
  async counters(): Promise<{ readonly out: WireCounters; readonly in: WireCounters }> {
    const line = await this.#tell("stats");
    return { out: line.out as WireCounters, in: line.in as WireCounters };
  }

  #tell(text: string): Promise<Line> {
    const since = this.#process.lines.length;
    this.#process.write(`${text}\n`);
    return this.#process.line("the wire's counters", (line) => line.type === "wire", 5_000, since);
  }
}

export function wireArguments(settings: WireSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`);
}
