// What `npm run fuzz` feeds to this package: bytes that claim to be an id, a sealed box, a handshake, a signature.
import {
  identityFromSeed,
  initiateHandshake,
  isNodeId,
  nodeIdFromBytes,
  nodeIdToBytes,
  openBox,
  protocolPrologue,
  respondHandshake,
  sealBox,
} from "../src/index.ts";

const [alice, bob] = [1, 2].map((byte) => identityFromSeed(new Uint8Array(32).fill(byte)));
if (alice === undefined || bob === undefined) throw new Error("no identities");
const prologue = protocolPrologue("fuzz", "envelope");
const random = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(3);
const plaintext = new Uint8Array(64).fill(4);
const box = sealBox({ identity: alice, recipient: bob.id, prologue, plaintext, random });
const initiation = initiateHandshake({ identity: alice, responder: bob.id, prologue, payload: plaintext, random });
const message2 = respondHandshake({ identity: bob, prologue, message: initiation.message })?.respond(plaintext, random);

/** Whatever opens is what was sealed, to the byte. */
function only(good: Uint8Array, open: (bytes: Uint8Array) => unknown) {
  return (bytes: Uint8Array): boolean => {
    if (open(bytes) === undefined) return false;
    if (Buffer.compare(bytes, good) !== 0) throw new Error("a forgery was opened");
    return true;
  };
}

export const targets = [
  {
    name: "id",
    corpus: [nodeIdToBytes(alice.id), nodeIdToBytes(bob.id)],
    maxBytes: 40,
    run(bytes: Uint8Array): boolean {
      const id = nodeIdFromBytes(bytes);
      if (id === undefined) return false;
      if (!isNodeId(id) || Buffer.compare(nodeIdToBytes(id), bytes) !== 0) throw new Error("not the one form of an id");
      return true;
    },
  },
  {
    name: "sealed box",
    corpus: [box],
    maxBytes: 256,
    run: only(box, (bytes) => openBox({ identity: bob, prologue, box: bytes })),
  },
  {
    name: "handshake message 1",
    corpus: [initiation.message],
    maxBytes: 256,
    run: only(initiation.message, (message) => respondHandshake({ identity: bob, prologue, message })),
  },
  {
    name: "handshake message 2",
    corpus: [message2?.message ?? new Uint8Array(0)],
    maxBytes: 256,
    run: only(message2?.message ?? new Uint8Array(0), (message) => initiation.finish(message)),
  },
];
