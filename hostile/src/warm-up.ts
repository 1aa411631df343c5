import { pass } from "@starling/lab/deadline";
import { FRAME_KIND } from "@starling/wire-protocol";
import type { Target } from "./attack.ts";
import { CraftedPeer } from "./tools/crafted-peer.ts";

const DATAGRAMS = 30_000;
const PER_STEP = 100;
const STEP_MS = 5;

/** Good datagrams until the target has the memory of a process at work; an attack is charged for what it takes beyond that. */
export async function warmUp(target: Target, network: string): Promise<void> {
  const peer = await CraftedPeer.open(target, network);
  const padding = new Uint8Array(1_000);
  for (let sent = 0; sent < DATAGRAMS; sent += 1) {
    // A kind that nobody knows: skipped.
    peer.say(0x7f, padding);
    if (sent % PER_STEP === 0) await pass(STEP_MS);
  }
  peer.say(FRAME_KIND.bye, Uint8Array.of(0));
  peer.close();
}
