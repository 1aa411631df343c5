import type { Scenario } from "../trial.ts";
import { amplification } from "./amplification.ts";
import { besiegedRelay } from "./besieged-relay.ts";
import { daemons } from "./daemons.ts";
import { garbageFlood, helloFlood } from "./floods.ts";
import { impaired } from "./impaired.ts";
import { lossyRelays } from "./lossy-relays.ts";
import { natTypes } from "./nat-types.ts";
import { oddSources } from "./odd-sources.ts";
import { pairs } from "./pairs.ts";
import { punching } from "./punching.ts";
import { refusingRouters } from "./refusing-routers.ts";
import { restlessRouters } from "./restless-routers.ts";
import { roaming } from "./roaming.ts";
import { sameRouter } from "./same-router.ts";
import { stun } from "./stun.ts";
import { udpBlocked } from "./udp-blocked.ts";
import { wire } from "./wire.ts";

/** In the order in which they run: the laboratory itself first, whole programs last. */
export const SCENARIOS: readonly Scenario[] = [
  natTypes,
  punching,
  wire,
  amplification,
  stun,
  oddSources,
  garbageFlood,
  helloFlood,
  impaired,
  roaming,
  daemons,
  pairs,
  refusingRouters,
  sameRouter,
  udpBlocked,
  restlessRouters,
  lossyRelays,
  besiegedRelay,
];
