import { type Attack, atMost, type Check } from "../attack.ts";
import { timeToConnect } from "../tools/crafted-peer.ts";
import { startFlood } from "../tools/flood.ts";

const PER_SECOND = 5_000;
const SOURCES = 250;
/** What a Hello that is let through costs at most: es and ss to read it, ee and se to answer; noise fails at the first. */
const DHS_ANSWERED = 4;
const DHS_NOISE = 1;

/** First messages of handshakes from many addresses, each of another key, all with the right mac1. */
export const handshakeFlood: Attack = {
  name: "handshake-flood",
  does: `sends ${PER_SECOND.toLocaleString("en-US")} Hellos a second from ${SOURCES} addresses, each of another key`,
  on: "target",
  growthAtMostMb: 16,
  async run({ target, relay, network, seconds }) {
    const before = await dhsOf(relay);
    const order = {
      mode: "hellos",
      target,
      network,
      perSecond: PER_SECOND,
      seconds,
      sources: SOURCES,
      genuine: [],
    } as const;
    const { ended } = await startFlood(order);
    const startedMs = performance.now();
    const newcomerMs = await timeToConnect(target, network);
    const sent = await ended;
    const spent = (await dhsOf(relay)) - before - DHS_ANSWERED; // the last: the newcomer's own
    const dhs = spent / secondsBegun(performance.now() - startedMs);
    const checks: Check[] = [atMost("S5", "an honest newcomer's session meanwhile", newcomerMs, 3_000, "ms")];
    if (relay !== undefined) checks.push(atMost("S5", "X25519 operations a second", dhs, 200, "/s"));
    return {
      badCount: sent,
      checks,
      note: `${Math.round(sent / seconds).toLocaleString("en-US")} a second left the attacker`,
    };
  },
};

/** What is limited in each second may be spent as soon as it has begun. */
function secondsBegun(ms: number): number {
  return Math.floor(ms / 1_000) + 1;
}

async function dhsOf(relay: { metric(name: string, label: string): Promise<number> } | undefined): Promise<number> {
  if (relay === undefined) return Number.NaN;
  const answered = await relay.metric("starling_handshakes_total", 'result="answered"');
  const noise = await relay.metric("starling_dropped_total", 'reason="handshake"');
  return DHS_ANSWERED * answered + DHS_NOISE * noise;
}
