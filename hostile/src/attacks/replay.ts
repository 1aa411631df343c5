import { createSocket } from "node:dgram";
import { pass } from "@starling/lab/deadline";
import { bytesToHex, decodeSend, FRAME_KIND } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost, type Check, type Scene } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";
import { craftEnvelope, sendBody } from "../tools/envelopes.ts";

// Somebody has overheard every datagram of a neighbour, and knows its messages as well. He sends the datagrams from elsewhere and
// from the neighbour's own address, and the messages as a neighbour himself: at once, after new keys, after newer keys, and after
// the target was killed and started anew. Half of the messages are for a program at the pair, half for a peer that only counts.

const MESSAGES = 200;
const SETTLE_MS = 500;
const PER_STEP = 20;
const STEP_MS = 5;

export const replay: Attack = {
  name: "replay",
  does: `sends ${MESSAGES} overheard messages again, as datagrams and as a neighbour: now, after two new keys, after a restart`,
  on: "target",
  async run(scene) {
    const { target, relay, network, pair, node } = scene;
    const recipient = new CountingRecipient();
    await recipient.listen(scene);
    const author = await CraftedPeer.open(target, network);
    const bodies = Array.from({ length: MESSAGES }, (_, index) => {
      const to = index % 2 === 0 ? node.id : recipient.peer.id;
      return sendBody(craftEnvelope({ from: author.identity, to, network }).encoded);
    });
    author.records = true;
    await sayAll(author, bodies);
    author.records = false;
    await pass(SETTLE_MS);
    const arrived = { program: pair.receivedFrom(author.id), peer: recipient.had.size };
    let badCount = 0;
    const again = async () => {
      badCount += (await fromEverywhere(scene, author)) + bodies.length;
      const neighbour = await CraftedPeer.open(target, network);
      await sayAll(neighbour, bodies);
      await pass(SETTLE_MS);
      neighbour.close();
    };
    await again();
    for (let keys = 0; keys < 2; keys += 1) {
      await author.shakeHands();
      await again();
    }
    let note = "not restarted: the target is not ours";
    if (relay !== undefined) {
      await relay.restart("SIGKILL");
      await recipient.listen(scene);
      await again();
      note = `${author.recorded.length} datagrams and ${bodies.length} messages, again and again`;
    }
    author.close();
    recipient.peer.close();
    const checks: Check[] = [
      atLeast("S6", "messages that arrived in the first place", arrived.program + arrived.peer, MESSAGES),
      atMost("S6", "delivered to the program again", pair.receivedFrom(author.id) - arrived.program, 0),
      atMost("S6", "forwarded to the recipient again", recipient.again, 0),
    ];
    return { badCount, checks, note };
  },
};

class CountingRecipient {
  /** Locks of the messages that came. */
  readonly had: Set<string> = new Set();
  again = 0;
  #peer: CraftedPeer | undefined;

  get peer(): CraftedPeer {
    if (this.#peer === undefined) throw new Error("it does not listen");
    return this.#peer;
  }

  /** With the same key each time, and a session of its own. */
  async listen({ target, network }: Scene): Promise<void> {
    const identity = this.#peer?.identity;
    this.#peer?.close();
    this.#peer = await CraftedPeer.open(target, network, identity === undefined ? {} : { identity });
    this.#peer.onFrame = ({ kind, body }) => {
      const send = kind === FRAME_KIND.send ? decodeSend(body) : undefined;
      if (!send?.ok) return;
      const lock = bytesToHex(send.value.envelope.lock);
      if (this.had.has(lock)) this.again += 1;
      this.had.add(lock);
    };
  }
}

async function sayAll(peer: CraftedPeer, bodies: readonly Uint8Array[]): Promise<void> {
  for (const [index, body] of bodies.entries()) {
    peer.say(FRAME_KIND.send, body);
    if (index % PER_STEP === 0) await pass(STEP_MS);
  }
}

/** Each datagram from an address that nobody knows, and from the author's own. */
async function fromEverywhere({ target }: Scene, author: CraftedPeer): Promise<number> {
  const { ip, port } = target.address;
  const stranger = createSocket(ip.includes(":") ? "udp6" : "udp4");
  for (const [index, datagram] of author.recorded.entries()) {
    stranger.send(datagram, port, ip, () => undefined);
    author.sendRaw(datagram);
    if (index % PER_STEP === 0) await pass(STEP_MS);
  }
  await pass(STEP_MS);
  stranger.close();
  return 2 * author.recorded.length;
}
