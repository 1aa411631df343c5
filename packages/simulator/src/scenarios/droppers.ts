import { dropsForwarded } from "../adversary/dropper.ts";
import { createFleet } from "../fleet.ts";
import { MODEL } from "../plan.ts";
import type { CellOptions, Outcome } from "./scenario.ts";
import { sendRandomly, unicastCurves, unicastFigures } from "./unicast.ts";

/** One public node of so many. */
const ONE_OF = 5;
const LOSS = 0.01;
/** A node has sent this many before what is measured begins. */
const LEARNING_MESSAGES = 40;
const RATE = 0.5;

/** One in five of the nodes that others forward over acknowledges what it is handed and loses it. */
export function droppers({ nodes, seed, crypto, messages, progress }: CellOptions): Outcome {
  let publicCount = 0;
  let count = 0;
  const fleet = createFleet({
    nodes,
    seed,
    crypto,
    progress,
    loss: LOSS,
    tap: (self, isPublic) => {
      if (!isPublic) return undefined;
      publicCount += 1;
      if (publicCount % ONE_OF !== 0) return undefined;
      count += 1;
      return dropsForwarded(self);
    },
  });
  const { world, ledger } = fleet;
  world.run(MODEL.joinMs + MODEL.warmUpMs);
  const learningMs = (LEARNING_MESSAGES / RATE) * 1000;
  sendRandomly(fleet, LEARNING_MESSAGES * nodes, learningMs);
  world.run(learningMs + 1000);
  const learned = ledger.messages.length;
  const runMs = (messages / (nodes * RATE)) * 1000;
  sendRandomly(fleet, messages, runMs);
  world.run(runMs + 31_000);
  const { firstAttempt: firstAttemptBefore } = unicastFigures(fleet, ledger.messages.slice(0, 2 * nodes));
  const figures = unicastFigures(fleet, ledger.messages.slice(learned));
  const curves = unicastCurves(ledger.messages.slice(learned));
  return {
    fleet,
    curves,
    figures: {
      ...figures,
      droppers: count,
      publicNodes: publicCount,
      firstAttemptBefore: firstAttemptBefore ?? Number.NaN,
    },
  };
}
