import { pass } from "@starling/lab/deadline";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost, type Check } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";

const PEERS = 40;
const FRAGMENTS = 100_000;
const COUNT = 64;
const PIECE_BYTES = 1_162;
/** Pieces of a frame that stay below its 65,536 bytes: as much as a link can be made to hold of one. */
const HELD_PIECES = 55;
const HELD_FRAMES = 4;
const PER_STEP = 200;
const STEP_MS = 2;
/** A half received frame is kept for 10 s (PROTOCOL §5.2). */
const FREED_MS = 15_000;
const LOOK_MS = 200;
const BUDGET_MIB = 8;

/** Neighbours fill what room there is with frames that are all but whole, and then begin ever new ones. */
export const fragments: Attack = {
  name: "fragments",
  does: `${PEERS} neighbours send ${FRAGMENTS.toLocaleString("en-US")} fragments of frames that are never completed`,
  on: "target",
  // What they are given room for is counted exactly, below; the rest is what the collector leaves lying under such a load. Without a
  // bound it would be 120 MB.
  growthAtMostMb: 96,
  async run({ target, relay, network }) {
    const peers: CraftedPeer[] = [];
    for (let i = 0; i < PEERS; i += 1) peers.push(await CraftedPeer.open(target, network));
    for (let sent = 0; sent < FRAGMENTS; sent += 1) {
      const turn = Math.floor(sent / PEERS);
      const isHeld = turn < HELD_FRAMES * HELD_PIECES;
      // Later ones are first fragments, each as far from the next as if the others were on their way.
      const index = isHeld ? turn % HELD_PIECES : 0;
      const frame = isHeld ? Math.floor(turn / HELD_PIECES) : HELD_FRAMES + (turn % (COUNT - 1 - HELD_FRAMES));
      const body = new Uint8Array(2 + PIECE_BYTES).fill(0x61);
      body.set([index, COUNT]);
      const peer = peers[sent % PEERS];
      peer?.sendRaw(peer.sealFrame(FRAME_KIND.fragment, body, frame * COUNT + index));
      if (sent % PER_STEP === 0) await pass(STEP_MS);
    }
    const checks: Check[] = [];
    if (relay !== undefined) {
      const heldMib = await roomMib(relay);
      checks.push(
        atLeast("S10", "room that they were given, or nothing was tried", heldMib, BUDGET_MIB / 2, "MiB"),
        atMost("S10", "room that they were given", heldMib, BUDGET_MIB, "MiB"),
        atMost("S10", "until all of it is free again", await timeToFree(relay), FREED_MS, "ms"),
      );
    }
    for (const peer of peers) peer.close();
    return { badCount: FRAGMENTS, checks };
  },
};

type Relay = { metric(name: string, label: string): Promise<number> };

async function roomMib(relay: Relay): Promise<number> {
  return (await relay.metric("starling_table_entries", 'table="fragmentBytes"')) / 2 ** 20;
}

async function timeToFree(relay: Relay): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < 2 * FREED_MS) {
    if ((await roomMib(relay)) === 0) break;
    await pass(LOOK_MS);
  }
  return performance.now() - startedMs;
}
