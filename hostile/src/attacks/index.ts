import type { Attack } from "../attack.ts";
import { channelAbuse } from "./channel-abuse.ts";
import { chosenIds } from "./chosen-ids.ts";
import { forgedSources } from "./forged-sources.ts";
import { fragments } from "./fragments.ts";
import { garbage } from "./garbage.ts";
import { handshakeFlood } from "./handshake-flood.ts";
import { localApi } from "./local-api.ts";
import { logInjection } from "./log-injection.ts";
import { lyingRecords } from "./lying-records.ts";
import { offers } from "./offers.ts";
import { replay } from "./replay.ts";
import { replayRotations } from "./replay-rotations.ts";
import { stamps } from "./stamps.ts";
import { sybil } from "./sybil.ts";

/** In the order in which they run: what fills tables for a while comes late, what restarts the target last. */
export const ATTACKS: readonly Attack[] = [
  forgedSources,
  garbage,
  handshakeFlood,
  stamps,
  lyingRecords,
  localApi,
  logInjection,
  offers,
  channelAbuse,
  chosenIds,
  replayRotations,
  sybil,
  fragments,
  replay,
];
