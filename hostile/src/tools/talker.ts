// The sending half of the honest pair, in a process of its own so that an attacker's work does not count as the target's. It talks
// from "talk" until "stop", waits until all has been answered, and tells how it went. argv: socket of the sender's node, recipient.
import { pass } from "@starling/lab/deadline";
import { connect } from "@starling/local-client";

const PER_SECOND = 40;
const CONTENT: Uint8Array = new Uint8Array(200).fill(0x61);
/** What has no receipt by then counts as lost. */
const TIMEOUT_MS = 10_000;

export type Spoken = {
  readonly sent: number;
  /** With a receipt in time. */
  readonly delivered: number;
  readonly medianMs: number;
  readonly p95Ms: number;
};

const [socket = "", to = ""] = process.argv.slice(2);
const client = await connect(socket);
let isTalking = false;
process.on("message", (order) => {
  isTalking = order === "talk";
  if (isTalking) void talk();
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

async function talk(): Promise<void> {
  const startedMs = performance.now();
  const outcomes: Promise<number | undefined>[] = [];
  while (isTalking) {
    const due = ((performance.now() - startedMs) / 1000) * PER_SECOND;
    while (outcomes.length < due) outcomes.push(send());
    await pass(1000 / PER_SECOND);
  }
  const settled = await Promise.all(outcomes);
  const times = settled.filter((ms): ms is number => ms !== undefined).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  const spoken: Spoken = { sent: settled.length, delivered: times.length, medianMs: at(0.5), p95Ms: at(0.95) };
  process.send?.(spoken);
}

async function send(): Promise<number | undefined> {
  const startedMs = performance.now();
  try {
    await client.submit({ to, content: CONTENT, topic: "honest", via: "relay", timeoutMs: TIMEOUT_MS });
    return performance.now() - startedMs;
  } catch {
    return undefined;
  }
}
