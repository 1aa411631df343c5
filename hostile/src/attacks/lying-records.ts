import { createSocket } from "node:dgram";
import { generateIdentity, type NodeId, nodeIdToBytes, systemRandom } from "@starling/crypto-identity";
import { pass } from "@starling/lab/deadline";
import {
  type Address,
  type Contact,
  encodeAnnounce,
  encodeDialBack,
  encodeNodes,
  FRAME_KIND,
  signNodeRecord,
} from "@starling/wire-protocol";
import { type Attack, atLeast, atMost, type Scene } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";

// Neighbours name somebody who has nothing to do with it: in signed records of their own, in Pongs and Nodes as ever new ids, and by
// asking to be dialled. What the victim gets of it is counted.

const PEERS = 20;
const ANNOUNCES = 1_000;
const PER_STEP = 5;
const STEP_MS = 15;
const HEARSAY = 8;
const SETTLE_MS = 4_500;
const VICTIM_IP = "127.0.0.77";
const HEADERS = 28;
/** X25519 keys that are no ids (PROTOCOL §2.1): zero, one, all bits. */
const NO_IDS = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32).fill(0xff)];

export const lyingRecords: Attack = {
  name: "lying-records",
  does: `${PEERS} neighbours name a victim in ${ANNOUNCES.toLocaleString("en-US")} records and as many contacts, and ask to have it dialled`,
  on: "target",
  async run(scene) {
    const { target, network } = scene;
    const victim = createSocket(target.address.ip.includes(":") ? "udp6" : "udp4");
    const address = target.address.ip.startsWith("127.") ? { address: VICTIM_IP } : {};
    await new Promise<void>((resolve) => victim.bind({ port: 0, ...address }, resolve));
    const named: Address = { ip: victim.address().address, port: victim.address().port };
    let [got, gotBytes] = [0, 0];
    victim.on("message", (bytes) => {
      got += 1;
      gotBytes += bytes.length + HEADERS;
    });
    const peers: CraftedPeer[] = [];
    for (let i = 0; i < PEERS; i += 1) {
      const peer = await CraftedPeer.open(target, network, { ip: `127.0.1.${1 + i}` });
      peer.hearsay = () => Array.from({ length: HEARSAY }, () => ({ id: anyId(), address: named }));
      peers.push(peer);
    }
    const before = peers.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    for (let sent = 0; sent < ANNOUNCES; sent += 1) {
      const peer = peers[sent % PEERS];
      if (peer !== undefined) lie(scene, peer, named, sent);
      if (sent % PER_STEP === 0) await pass(STEP_MS);
    }
    // Dials have three Hellos, the last after 3 s.
    await pass(SETTLE_MS);
    const sentBytes = peers.reduce((sum, peer) => sum + peer.sentBytes, 0) - before;
    const alive = peers.filter(({ receivedCount }) => receivedCount > 0).length;
    for (const peer of peers) peer.close();
    victim.close();
    return {
      badCount: 4 * ANNOUNCES,
      amplification: gotBytes / sentBytes,
      checks: [
        atMost("S12", "datagrams that the victim got", got, 3),
        atMost("S12", "bytes that it got, for each that the attackers sent", gotBytes / sentBytes, 1, "x"),
        atLeast("S12", "neighbours that could lie", alive, PEERS),
      ],
    };
  },
};

function lie({ network }: Scene, peer: CraftedPeer, named: Address, index: number): void {
  const record = signNodeRecord({
    identity: peer.identity,
    network,
    sequence: Date.now() + index,
    role: index % 2 === 0 ? "relay" : "node",
    addresses: [named, { ip: "10.1.2.3", port: 4_100 }, { ip: "224.0.0.1", port: 4_100 }].slice(0, 1 + (index % 3)),
    random: systemRandom,
  });
  peer.say(FRAME_KIND.announce, encodeAnnounce({ type: "announce", anchor: true, record }));
  const contacts: Contact[] = Array.from({ length: HEARSAY }, () => ({ id: anyId(), address: named }));
  const nodes = encodeNodes({ type: "nodes", query: index, attached: true, contacts });
  // A contact whose id is none: the whole frame has to be refused.
  if (index % 4 === 0) nodes.set(NO_IDS[(index / 4) % NO_IDS.length] ?? nodeIdToBytes(peer.id), 6);
  peer.say(FRAME_KIND.nodes, nodes);
  peer.say(FRAME_KIND.dialBack, encodeDialBack({ type: "dial-back", what: "me", port: named.port }));
  const contact = { id: peer.id, address: named };
  peer.say(FRAME_KIND.dialBack, encodeDialBack({ type: "dial-back", what: "peer", contact }));
}

function anyId(): NodeId {
  return generateIdentity(systemRandom).id;
}
