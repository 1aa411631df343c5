import { createFleet } from "../fleet.ts";
import { MODEL } from "../plan.ts";
import type { CellOptions, Outcome } from "./scenario.ts";
import { sendRandomly, unicastFigures } from "./unicast.ts";

const VIRTUAL_MS = 60_000;
/** Messages begin when all have joined, and stop in time for the last to be answered. */
const LAST_MS = 5000;

/** Sixty virtual seconds: joining, upkeep, and one message for each node. How long it takes is in the cell. */
export function speed({ nodes, seed, crypto, progress }: CellOptions): Outcome {
  const fleet = createFleet({ nodes, seed, crypto, progress });
  const { world, ledger } = fleet;
  world.run(MODEL.joinMs);
  sendRandomly(fleet, nodes, VIRTUAL_MS - MODEL.joinMs - LAST_MS, 5000);
  world.run(VIRTUAL_MS - MODEL.joinMs);
  const { delivered = 0, messages = 0 } = unicastFigures(fleet, ledger.messages);
  const links = fleet.nodes.reduce((sum, { core }) => sum + core.neighbours().length, 0);
  return { fleet, figures: { messages, delivered, linksMean: links / nodes } };
}
