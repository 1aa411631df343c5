import { FRAME_KIND } from "@starling/wire-protocol";
import { type Attack, atMost } from "../attack.ts";
import { CraftedPeer, timeToConnect } from "../tools/crafted-peer.ts";
import { startFlood } from "../tools/flood.ts";

const PER_SECOND = 20_000;
const GENUINE = 300;

/** Noise, and real datagrams as they were, cut and bent: nothing of it opens. */
export const garbage: Attack = {
  name: "garbage",
  does: `sends ${PER_SECOND.toLocaleString("en-US")} datagrams a second, half noise, half mutants of real ones`,
  on: "target",
  deliveryAtLeast: 0.8,
  async run({ target, network, random, seconds }) {
    const peer = await CraftedPeer.open(target, network);
    peer.records = true;
    for (let i = 0; i < GENUINE; i += 1) peer.say(FRAME_KIND.ping, random(8));
    const genuine = peer.recorded.map((datagram) => datagram.toString("hex"));
    const common = { target, network, seconds, genuine, perSecond: PER_SECOND / 2, sources: 4 };
    const floods = await Promise.all([
      startFlood({ ...common, mode: "garbage" }),
      startFlood({ ...common, mode: "mutants" }),
    ]);
    const newcomerMs = await timeToConnect(target, network);
    const sent = (await Promise.all(floods.map(({ ended }) => ended))).reduce((sum, count) => sum + count, 0);
    peer.close();
    return {
      badCount: sent,
      checks: [atMost("S3", "an honest newcomer's session meanwhile", newcomerMs, 3_000, "ms")],
      note: `${Math.round(sent / seconds).toLocaleString("en-US")} a second left the attacker`,
    };
  },
};
