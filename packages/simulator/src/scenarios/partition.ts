import { createFleet } from "../fleet.ts";
import { MODEL } from "../plan.ts";
import { pick } from "../seeded-random.ts";
import { percentile, quantiles } from "../statistics.ts";
import type { CellOptions, Outcome } from "./scenario.ts";

const PARTED_MS = 60_000;
const WITHIN_MS = 30_000;
const SENT_OVER_MS = 1000;

/** The network falls into halves and heals: which pairs across reach each other, and when. */
export function partition({ nodes, seed, crypto, messages, progress }: CellOptions): Outcome {
  const fleet = createFleet({ nodes, seed, crypto, progress });
  const { world, random, ledger } = fleet;
  world.run(MODEL.joinMs + MODEL.warmUpMs);
  for (const { place } of [...fleet.relays, ...fleet.nodes]) place.side = random.integer(2);
  const sides = [0, 1].map((side) => fleet.nodes.filter(({ place }) => place.side === side));
  world.network.isPartitioned = true;
  world.run(PARTED_MS);
  world.network.isPartitioned = false;
  const healedMs = world.queue.nowMs;
  for (let i = 0; i < messages; i += 1) {
    world.queue.at(healedMs + (i / messages) * SENT_OVER_MS, () => {
      const [from = [], to = []] = i % 2 === 0 ? sides : sides.toReversed();
      const leftMs = healedMs + WITHIN_MS - world.queue.nowMs;
      ledger.send(pick(random, from), pick(random, to), "any", Math.floor(leftMs));
    });
  }
  world.run(WITHIN_MS + 1000);
  const sent = ledger.messages;
  const afterMs = sent.flatMap(({ receiptMs }) => (receiptMs === undefined ? [] : [receiptMs - healedMs]));
  afterMs.sort((a, b) => a - b);
  return {
    fleet,
    curves: { "time from healing to the receipt, ms": quantiles(afterMs.map(Math.round)) },
    figures: {
      messages: sent.length,
      reachableIn30s: afterMs.length / sent.length,
      p50Ms: percentile(afterMs, 0.5),
      p95OfReachedMs: percentile(afterMs, 0.95),
    },
  };
}
