import { createSocket, type Socket } from "node:dgram";
import { pass, within } from "@starling/lab/deadline";
import { connect } from "@starling/local-client";
import type { Candidate } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol/address";
import { type Attack, atLeast, atMost } from "../attack.ts";
import { type Answered, Caller, descriptionOf } from "../tools/caller.ts";
import { hear, startChild } from "../tools/child.ts";
import type { Stranger } from "../tools/stranger.ts";

// Fifty peers offer channels to a node, all the time, and name ten ports of somebody who has nothing to do with it; each one whose
// Offer was answered goes on to send hundreds of late candidates. One has written to the node before, so that its dial is not cut short.
// Meanwhile the node wants a channel too, a peer that has written to it, and, once most of the fifty have had a turn, a stranger.

const CALLERS = 50;
const PER_SECOND = 500;
const STEP_MS = 20;
const PORTS = 10;
const LATE = 200;
const HONEST_MS = 5_000;
/** One more of them joins in this time: a node looks at each once in 5 s, so they are not to come all at once. */
const JOIN_MS = 100;
/** By then each has had its turn: eight at once, 2 s each, and the last to join is looked at when it is 5, 10 and 15 s old (PROTOCOL §9). */
const FLOOD_MS = 22_000;
const GREETED_MS = 500;
const VICTIM_IP = "127.0.0.88";

export const offers: Attack = {
  name: "offers",
  does: `${CALLERS} peers send ${PER_SECOND} offers a second that name a victim, with ${LATE} late candidates each`,
  on: "node",
  growthAtMostMb: 100,
  async run({ node, sender, network, seconds }) {
    const victims = await Promise.all(Array.from({ length: PORTS + LATE }, openVictim));
    const sources = new Map<string, number>();
    for (const victim of victims) {
      victim.on("message", (_bytes, { port }) => sources.set(`${port}`, (sources.get(`${port}`) ?? 0) + 1));
    }
    const candidates = victims.map(
      (victim): Candidate => ({ type: "host", address: { ip: VICTIM_IP, port: victim.address().port } }),
    );
    const at = { id: node.id, address: node.address };
    const callers: Caller[] = [];
    for (let i = 0; i < CALLERS; i += 1) callers.push(await Caller.open(at, network));
    callers[0]?.greet();
    await pass(GREETED_MS);
    const socketsBefore = node.socketCount();
    const answered: Answered[] = [];
    let isAlone = true;
    let [sent, socketsMost, late] = [0, 0, 0];
    const startedMs = performance.now();
    const flood = setInterval(() => {
      const joined = Math.min(CALLERS, 1 + Math.floor((performance.now() - startedMs) / JOIN_MS));
      for (let i = 0; i < (PER_SECOND * STEP_MS) / 1_000; i += 1, sent += 1) {
        const caller = callers[sent % joined];
        // A new Offer each time.
        void caller?.offer(descriptionOf(candidates.slice(0, PORTS))).answered.then((answer) => {
          answered.push(answer);
          for (let index = 0; index < LATE; index += 1, late += 1) {
            const candidate = candidates[PORTS + index];
            if (candidate !== undefined) caller.candidate(answer, index, candidate);
          }
        });
      }
      // Before the honest calls: they have sockets as well.
      if (isAlone) socketsMost = Math.max(socketsMost, node.socketCount() - socketsBefore);
    }, STEP_MS);
    await pass(1_000);
    isAlone = false;
    const incomingMs = await timeToCall(sender.socket, node.id);
    const outgoingMs = await timeToCall(node.socket, sender.id);
    await pass(Math.max(0, startedMs + Math.max(FLOOD_MS, seconds * 1_000) - performance.now()));
    const stranger = startChild("./stranger.ts", node.id, formatAddress(node.address), network);
    const { tookMs: strangersMs } = await hear<Stranger>(stranger);
    stranger.disconnect();
    clearInterval(flood);
    for (const caller of callers) caller.close();
    for (const victim of victims) victim.close();
    const counts = [...sources.values()];
    return {
      badCount: sent + late,
      checks: [
        atLeast("S14", "offers that were answered, so that the others could be", answered.length, 1),
        atMost("S14", "channels of strangers under way at once", socketsMost, 8),
        atMost("S13", "STUN datagrams of one of them to the addresses it was given", Math.max(0, ...counts), 100),
        atMost(
          "S14",
          "a channel that a peer who has written wants with the node meanwhile",
          incomingMs,
          HONEST_MS,
          "ms",
        ),
        atMost("S14", "a channel that the node itself wants meanwhile", outgoingMs, HONEST_MS, "ms"),
        atMost(
          "S14",
          `one that a stranger wants, after ${FLOOD_MS / 1_000} s of it`,
          strangersMs ?? Number.NaN,
          HONEST_MS,
          "ms",
        ),
      ],
    };
  },
};

async function openVictim(): Promise<Socket> {
  const victim = createSocket("udp4");
  await new Promise<void>((resolve) => victim.bind(0, VICTIM_IP, resolve));
  return victim;
}

/** How long a program of this node waits for a channel to a peer; then it is closed again. */
async function timeToCall(socket: string, to: string): Promise<number> {
  const client = await connect(socket);
  const startedMs = performance.now();
  try {
    await within(2 * HONEST_MS, "a channel", client.connectPeer(to));
    const tookMs = performance.now() - startedMs;
    await client.disconnectPeer(to);
    return tookMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  } finally {
    client.close();
  }
}
