import type { HostProcess } from "./net/host-process.ts";
import type { Target } from "./targets.ts";

const MESSAGE_BYTES = 1_000;
const WARM_UP = 3_000;
const CAPACITY_COUNT = 12_000;
const SEND_MS = 120_000;
let flows = 0;

export type Flow = {
  readonly acknowledged: number;
  /** Of these, how many before the last one should have been sent. */
  readonly inTime: number;
  readonly failed: number;
  readonly seconds: number;
  /** At the recipient. */
  readonly unique: number;
  readonly repeated: number;
  readonly longestGapMs: number;
  /** Half, 99 % and all of the messages took at most so long. */
  readonly latenciesMs: readonly number[];
};

/** Sends messages of 1 kB from one udp-node to another with which it has a session; what came of them, by both. */
export async function sendFlow(
  from: HostProcess,
  to: { readonly id: string; readonly process: HostProcess },
  options: { readonly count: number; readonly perSecond?: number },
): Promise<Flow> {
  flows += 1;
  const flow = flows;
  const sent = await from.ask("send", { id: to.id, flow, sizeBytes: MESSAGE_BYTES, ...options }, SEND_MS);
  const received = await to.process.ask("received", { flow });
  return { ...sent, ...received } as unknown as Flow;
}

/** Messages a second, as fast as they go. */
export async function capacityOf(from: HostProcess, to: Target): Promise<number> {
  await sendFlow(from, to, { count: WARM_UP });
  const { acknowledged, seconds } = await sendFlow(from, to, { count: CAPACITY_COUNT });
  return acknowledged / seconds;
}

/** Offers messages at a rate for a while: the share of them that was acknowledged by the end of it. */
export async function goodputAt(from: HostProcess, to: Target, perSecond: number, seconds: number): Promise<number> {
  const count = Math.round(perSecond * seconds);
  return (await sendFlow(from, to, { count, perSecond })).inTime / count;
}
