import { createSocket, type Socket } from "node:dgram";
import { strangersDatagrams, validHellos } from "@starling/lab/datagrams";
import { pass } from "@starling/lab/deadline";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type Attack, atMost, type Scene } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";

// Every kind of datagram with a victim's address as its source. The victim here is a socket that never answers, and whose own
// datagrams they are: what the target does is the same as if somebody had forged them, and no raw socket is needed.

const COUNT = 60;
const PER_STEP = 6;
const STEP_MS = 20;
const QUIET_MS = 150;
/** IP and UDP. */
const HEADERS = 28;
const LOAD_PER_STEP = 8;

export const forgedSources: Attack = {
  name: "forged-sources",
  does: "sends every kind of datagram in a victim's name, alone and while handshakes are under load",
  on: "target",
  async run(scene) {
    const victim = await Victim.at(scene);
    const load = await Victim.at(scene);
    let worst = 0;
    let badCount = 0;
    const send = async (payloads: readonly Uint8Array[]): Promise<number> => {
      victim.reset();
      for (let sent = 0; sent < COUNT; sent += PER_STEP) {
        for (let i = 0; i < PER_STEP; i += 1) victim.send(payloads[(sent + i) % payloads.length]);
        await pass(STEP_MS);
      }
      await pass(QUIET_MS);
      badCount += COUNT;
      return victim.factor;
    };
    for (const [, payloads] of strangersDatagrams(scene.target.id, scene.network, scene.random)) {
      worst = Math.max(worst, await send(payloads));
    }
    const fresh = validHellos(scene.target.id, scene.network, COUNT, scene.random);
    const others = validHellos(scene.target.id, scene.network, 400, scene.random);
    let next = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < LOAD_PER_STEP; i += 1, next += 1) load.send(others[next % others.length]);
    }, STEP_MS);
    worst = Math.max(worst, await send(fresh));
    clearInterval(timer);
    const moved = await onNewPath(scene, victim);
    load.close();
    victim.close();
    return {
      badCount: badCount + next,
      amplification: worst,
      checks: [
        atMost("S2", "bytes to a forged source, for each sent in its name", worst, 1, "x"),
        atMost("S2", "the same, once a peer's session has moved there", moved, 3, "x"),
      ],
    };
  },
};

/** A good datagram of a peer, the newest, but from the victim's address: the peer seems to have moved. */
async function onNewPath(scene: Scene, victim: Victim): Promise<number> {
  const peer = await CraftedPeer.open(scene.target, scene.network);
  await pass(QUIET_MS);
  victim.reset();
  for (let i = 0; i < 5; i += 1) victim.send(peer.sealFrame(FRAME_KIND.ping, scene.random(8)));
  await pass(4 * QUIET_MS);
  peer.close();
  return victim.factor;
}

class Victim {
  #sentBytes = 0;
  #gotBytes = 0;
  readonly #socket: Socket;
  readonly #to: Scene["target"]["address"];

  private constructor(socket: Socket, to: Scene["target"]["address"]) {
    this.#socket = socket;
    this.#to = to;
    socket.on("message", (bytes) => {
      this.#gotBytes += bytes.length + HEADERS;
    });
  }

  static async at({ target }: Scene): Promise<Victim> {
    const socket = createSocket(target.address.ip.includes(":") ? "udp6" : "udp4");
    const address = target.address.ip.startsWith("127.") ? { address: "127.0.0.66" } : {};
    await new Promise<void>((resolve) => socket.bind({ port: 0, ...address }, resolve));
    return new Victim(socket, target.address);
  }

  get factor(): number {
    return this.#gotBytes / this.#sentBytes;
  }

  reset(): void {
    this.#sentBytes = 0;
    this.#gotBytes = 0;
  }

  send(datagram: Uint8Array | undefined): void {
    if (datagram === undefined) return;
    this.#sentBytes += datagram.length + HEADERS;
    this.#socket.send(datagram, this.#to.port, this.#to.ip, () => undefined);
  }

  close(): void {
    this.#socket.close();
  }
}
