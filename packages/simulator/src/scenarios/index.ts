import { chaos } from "./chaos.ts";
import type { Scenario } from "./scenario.ts";
import { unicast } from "./unicast.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = { chaos, unicast };
