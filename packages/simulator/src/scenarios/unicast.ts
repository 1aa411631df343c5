import { churn, createFleet, type Fleet, settledNodes } from "../fleet.ts";
import type { SentMessage } from "../ledger.ts";
import { MODEL } from "../plan.ts";
import { pick } from "../seeded-random.ts";
import { percentile, quantiles } from "../statistics.ts";
import type { CellOptions, Outcome } from "./scenario.ts";

const CHURN_A_MINUTE = 0.1;
const TIMEOUT_MS = 30_000;
/** A node is written to once it has been up this long. */
const SETTLED_MS = 15_000;
/** Messages a second and node; the run is as long as that makes it. */
const RATE = 0.3;
const LEAST_MS = 30_000;

/** Unicast with its ack between random pairs, under churn and loss. */
export function unicast(options: CellOptions): Outcome {
  const { nodes, seed, crypto, messages, progress } = options;
  const fleet = createFleet({ nodes, seed, crypto, progress });
  const { world } = fleet;
  world.run(MODEL.joinMs + MODEL.warmUpMs);
  const runMs = Math.max(LEAST_MS, (messages / (nodes * RATE)) * 1000);
  churn(fleet, CHURN_A_MINUTE, world.queue.nowMs + runMs + TIMEOUT_MS);
  sendRandomly(fleet, messages, runMs);
  world.run(runMs + TIMEOUT_MS + 1000);
  const all = fleet.ledger.messages;
  return { fleet, figures: unicastFigures(fleet, all), curves: unicastCurves(all) };
}

export function unicastCurves(all: readonly SentMessage[]): Record<string, number[]> {
  const received = all.filter(({ receiptMs }) => receiptMs !== undefined);
  const tookMs = received.map(({ receiptMs = 0, sentMs }) => Math.round(receiptMs - sentMs));
  const transmissions = received.map((message) => message.transmissions);
  const sorted = (values: number[]) => quantiles(values.toSorted((a, b) => a - b));
  return { "time to the receipt, ms": sorted(tookMs), "transmissions, ack included": sorted(transmissions) };
}

/** Plans messages between random settled nodes, evenly over a time. */
export function sendRandomly(fleet: Fleet, messages: number, overMs: number, settledMs: number = SETTLED_MS): void {
  const { world, random, ledger } = fleet;
  const startMs = world.queue.nowMs;
  for (let i = 0; i < messages; i += 1) {
    world.queue.at(startMs + (i / messages) * overMs, () => {
      for (let tries = 0; tries < 10; tries += 1) {
        const from = pickSettled(fleet, settledMs);
        const to = pickSettled(fleet, settledMs);
        if (from !== undefined && to !== undefined && from !== to && ledger.send(from, to, "any", TIMEOUT_MS)) return;
      }
    });
  }
  function pickSettled(of: Fleet, forMs: number) {
    const beforeMs = world.queue.nowMs - forMs;
    for (let tries = 0; tries < 100; tries += 1) {
      const node = pick(random, of.nodes);
      if ((of.upSinceMs.get(node) ?? Number.POSITIVE_INFINITY) <= beforeMs) return node;
    }
    return settledNodes(of, forMs)[0];
  }
}

/** Over messages whose two ends were up from the sending to the receipt or the deadline. */
export function unicastFigures({ ledger }: Fleet, all: readonly SentMessage[]): Record<string, number> {
  const counted = all.filter(({ receiptMs, endWentDown }) => receiptMs !== undefined || !endWentDown);
  const received = counted.filter(({ receiptMs }) => receiptMs !== undefined);
  const tookMs = received.map(({ receiptMs = 0, sentMs }) => receiptMs - sentMs).toSorted((a, b) => a - b);
  const transmissions = counted.map((message) => message.transmissions).toSorted((a, b) => a - b);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    messages: counted.length,
    leftOut: all.length - counted.length,
    delivered: received.length / counted.length,
    deliveredIn8s: tookMs.filter((ms) => ms <= 8000).length / counted.length,
    firstAttempt: received.filter(({ attempts }) => attempts <= 1).length / counted.length,
    direct: received.filter(({ attempts }) => attempts === 0).length / counted.length,
    transmissionsMean: sum(transmissions) / counted.length,
    transmissionsP99: percentile(transmissions, 0.99),
    hopsMean: sum(received.map(({ hops }) => hops)) / received.length,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    broadcasts: ledger.broadcasts,
    unattributed: ledger.unattributed,
  };
}
