import { chaos } from "./chaos.ts";
import { droppers } from "./droppers.ts";
import { eclipse } from "./eclipse.ts";
import { partition } from "./partition.ts";
import { replay } from "./replay.ts";
import type { Scenario } from "./scenario.ts";
import { speed } from "./speed.ts";
import { unicast } from "./unicast.ts";
import { victim } from "./victim.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  chaos,
  droppers,
  eclipse,
  partition,
  replay,
  speed,
  unicast,
  victim,
};
