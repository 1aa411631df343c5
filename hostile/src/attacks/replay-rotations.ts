import { Attacker, type SimNode, World, watchPlaintexts } from "@starling/simulator";
import { FRAME_KIND, type Frame, LIFETIME_MAX_MS, readFrames } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost } from "../attack.ts";

// What takes minutes on the clock: everything that a recipient and its relay were sent comes again, from a neighbour who kept it, when
// the recipient was killed and started anew while it is all still fresh, when the seen-filter has turned over once, twice and three
// times, when session keys have been renewed, and after the recipient was killed once more. Shipped cores, real cryptography, virtual
// time.

const MESSAGES = 200;
/** Ages of the oldest one. A seen-filter turns each 180 s, keys each 120 s (PROTOCOL §10); an envelope is fresh for 90 s. */
const AGES_MS = [80_000, 190_000, 370_000, 550_000];
const FRESH_MS = 90_000;
const SETTLE_MS = 20_000;
const RESTART_MS = 5_000;
const SEED = 13;

export const replayRotations: Attack = {
  name: "replay-rotations",
  does: `a neighbour sends ${MESSAGES} kept messages again at ages up to 9 min, and after restarts, in virtual time`,
  on: "none",
  run() {
    const world = new World({ seed: SEED, latencyMs: [5, 20], loss: 0, duplication: 0, floor: 16 });
    const kept: Frame[] = [];
    let isKeeping = true;
    let hadAgain = 0;
    const tap = watchPlaintexts({
      sealing: () => {},
      opened: (_peer, plaintext) => {
        const frames = readFrames(plaintext);
        if (!frames.ok) return;
        for (const { kind, body } of frames.value) {
          if (kind !== FRAME_KIND.send) continue;
          if (isKeeping) kept.push({ kind, body: asNew(body) });
          else hadAgain += 1;
        }
      },
    });
    const relay = world.addRelay();
    const bootstrap = [relay.contact];
    const author = world.addNode({ bootstrap, maxChannels: 0 });
    const reader = world.addNode({ bootstrap, maxChannels: 0 }, { tap });
    const attacker = new Attacker(world);
    reader.feed({ type: "listening", on: true });
    world.run(SETTLE_MS);
    const sinceMs = world.queue.nowMs;
    for (let i = 0; i < MESSAGES; i += 1) {
      const content = new Uint8Array(20).fill(i);
      // As long as a message may live: what has expired is refused whatever else fails.
      author.feed({
        type: "submit",
        id: `${i}`,
        to: reader.id,
        content,
        topic: "",
        via: "relay",
        timeoutMs: LIFETIME_MAX_MS,
      });
      world.run(20);
    }
    world.run(SETTLE_MS);
    isKeeping = false;
    const delivered = deliveries(reader);
    const forwarded = relay.core.counts()["forwarded.send"] ?? 0;
    let badCount = 0;
    const again = () => {
      for (const [id, address] of [
        [reader.id, reader.address],
        [relay.id, relay.contact.address],
      ] as const) {
        attacker.connect({ id, address });
        world.run(1_000);
        if (!attacker.linked.has(id)) throw new Error("the attacker has no session");
        for (const frame of kept) attacker.say(id, { ...frame, body: frame.body.slice() });
        badCount += kept.length;
      }
      world.run(SETTLE_MS);
    };
    const restart = () => {
      reader.kill();
      world.run(100);
      reader.start();
      reader.feed({ type: "listening", on: true });
      world.run(RESTART_MS);
    };
    restart();
    again();
    // Else nothing but their age would have kept them out.
    if (world.queue.nowMs > sinceMs + FRESH_MS) throw new Error("sent again too late to be fresh after the restart");
    for (const ageMs of AGES_MS) {
      world.run(Math.max(0, sinceMs + ageMs - world.queue.nowMs));
      again();
    }
    restart();
    again();
    if (hadAgain < badCount / 2) throw new Error("they did not all come to the recipient again");
    return Promise.resolve({
      badCount,
      checks: [
        atLeast("S6", "messages delivered in the first place", delivered, MESSAGES),
        atMost("S6", "delivered again", deliveries(reader) - delivered, 0),
        atMost("S6", "forwarded again by the relay", (relay.core.counts()["forwarded.send"] ?? 0) - forwarded, 0),
      ],
    });
  },
};

/** As if its author had just sent it. */
function asNew(body: Uint8Array): Uint8Array {
  const copy = body.slice();
  copy.set([0, 0]);
  return copy;
}

function deliveries({ outputs }: SimNode): number {
  return outputs.filter(({ type }) => type === "deliver").length;
}
