import { nodeIdToBytes } from "@starling/crypto-identity";
import { pass } from "@starling/lab/deadline";
import { bytesToHex, decodeSendAck, decodeSendFail, FRAME_KIND, lockOf } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost, type Scene } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";
import { type Crafted, craftEnvelope, sendBody } from "../tools/envelopes.ts";

// A neighbour with a good session sends messages whose stamps are not what they should be: old, early, unpaid, too cheap, made for
// somebody else, for other bytes, or used before.

const EACH = 20;
const PER_SECOND = 400;
const STEP_MS = 10;
const SETTLE_MS = 500;
/** Where an envelope has its recipient, and a byte of its sealed body (PROTOCOL §7.2). */
const RECIPIENT_OFFSET = 1;
const BENT_OFFSET = 85 + 100;

export const stamps: Attack = {
  name: "stamps",
  does: `a neighbour sends ${PER_SECOND} messages a second with stale, future, unpaid, cheap, borrowed, bent or reused stamps`,
  on: "target",
  async run(scene) {
    const { target, network, seconds, pair, node } = scene;
    const peer = await CraftedPeer.open(target, network);
    const good = Array.from({ length: EACH }, () => craftEnvelope({ from: peer.identity, to: node.id, network }));
    const bad = badEnvelopes(scene, peer);
    const refused = new Set<string>();
    const acknowledged = new Set<string>();
    const badLocks = new Map(bad.map(({ lock }) => [bytesToHex(lock), lock]));
    let acks = 0;
    peer.onFrame = ({ kind, body }) => {
      const fail = kind === FRAME_KIND.sendFail ? decodeSendFail(body) : undefined;
      if (fail?.ok) refused.add(bytesToHex(fail.value.lock));
      const ack = kind === FRAME_KIND.sendAck ? decodeSendAck(body) : undefined;
      if (!ack?.ok) return;
      acks += 1;
      acknowledged.add(bytesToHex(lockOf(ack.value.t)));
    };
    for (const { encoded } of good) peer.say(FRAME_KIND.send, sendBody(encoded));
    await pass(SETTLE_MS);
    const controls = pair.receivedFrom(peer.id);
    let badCount = 0;
    const untilMs = performance.now() + seconds * 1_000;
    while (performance.now() < untilMs) {
      for (let i = 0; i < (PER_SECOND * STEP_MS) / 1_000; i += 1, badCount += 1) {
        // Each second one is a message that was delivered before; half of those with other hops.
        const envelope = badCount % 2 === 0 ? good[(badCount / 2) % EACH] : bad[((badCount - 1) / 2) % bad.length];
        if (envelope !== undefined) peer.say(FRAME_KIND.send, sendBody(envelope.encoded, badCount % 4 === 0 ? 20 : 0));
      }
      await pass(STEP_MS);
    }
    await pass(SETTLE_MS);
    peer.close();
    const received = pair.receivedFrom(peer.id);
    const unanswered = [...badLocks.keys()].filter((lock) => !refused.has(lock) || acknowledged.has(lock)).length;
    return {
      badCount,
      checks: [
        atLeast("S7", "good messages of the attacker that arrived, so that the others could", controls, EACH),
        atMost("S7", "messages with a bad or used stamp that came to a program", received - controls, 0),
        atMost("S7", `kinds of bad stamps, of ${bad.length} envelopes, that were not refused in words`, unanswered, 0),
      ],
      note: `${acks} acknowledged: a message that its recipient has had is acknowledged again`,
    };
  },
};

function badEnvelopes({ target, network, node }: Scene, peer: CraftedPeer): Crafted[] {
  const common = { from: peer.identity, to: node.id, network };
  const borrowed = (): Crafted => {
    const made = craftEnvelope(common);
    made.encoded.set(nodeIdToBytes(target.id), RECIPIENT_OFFSET);
    return made;
  };
  // Flipped, for a byte by chance is one in 256 times the one that was there.
  const bent = (): Crafted => {
    const made = craftEnvelope(common);
    made.encoded[BENT_OFFSET] = (made.encoded[BENT_OFFSET] ?? 0) ^ 0xff;
    return made;
  };
  return Array.from({ length: EACH }, () => [
    craftEnvelope({ ...common, timestampMs: Date.now() - 120_000 }),
    craftEnvelope({ ...common, timestampMs: Date.now() + 90_000 }),
    craftEnvelope({ ...common, isPaid: false }),
    craftEnvelope({ ...common, isPaid: false, effort: 2 ** 47 }),
    craftEnvelope({ ...common, effort: 1_000 }),
    borrowed(),
    bent(),
  ]).flat();
}
