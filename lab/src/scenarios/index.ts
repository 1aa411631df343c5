import type { Scenario } from "../trial.ts";
import { amplification } from "./amplification.ts";
import { natTypes } from "./nat-types.ts";
import { punching } from "./punching.ts";
import { wire } from "./wire.ts";

/** In the order in which they run: the laboratory itself first. */
export const SCENARIOS: readonly Scenario[] = [natTypes, punching, wire, amplification];
