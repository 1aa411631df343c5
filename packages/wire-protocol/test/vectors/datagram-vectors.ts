// A whole handshake over UDP, and Data both ways under its keys: alice initiates, bob responds.
import {
  createMac,
  hmacSha256,
  initiateHandshake,
  nodeIdToBytes,
  protocolPrologue,
  respondHandshake,
  sha256,
} from "@starling/crypto-identity";
import {
  encodeChannelHello,
  encodeCookie,
  encodeDataHeader,
  encodeHello,
  encodeHelloPayload,
  encodeLookup,
  encodeNodes,
  encodeWelcome,
  encodeWelcomePayload,
  FRAME_KIND,
  HELLO_MAC1_OFFSET,
  setHelloCookie,
  writeFrame,
} from "../../src/index.ts";
import { ALICE, BOB, count, fill, fixedRandom, type Json, NETWORK, toJson, utf8, WALL_MS } from "./actors.ts";

const ALICE_INDEX = 0x0a0b_0c0d;
const BOB_INDEX = 0xb0b0_0001;
const E_ALICE = 0x11;
const E_BOB = 0x22;
const E_ALICE_ANEW = 0x31;
const E_BOB_ANEW = 0x32;

export function datagramVectors(): Json {
  const prologue = protocolPrologue(NETWORK, "session");
  const lookup = encodeLookup({ type: "lookup", query: 7, target: ALICE.id });
  const helloPayload = encodeHelloPayload({ timestampMs: WALL_MS, epoch: fill(8, 0xe1), lookup });
  const initiation = initiateHandshake({
    identity: ALICE,
    responder: BOB.id,
    prologue,
    payload: helloPayload,
    random: fixedRandom(E_ALICE),
  });
  const hello = encodeHello(ALICE_INDEX, initiation.message);
  const label = utf8("starling mac1");
  const mac1Key = sha256(Uint8Array.from([...label, ...nodeIdToBytes(BOB.id)]));
  const mac1 = createMac(mac1Key)(hello.subarray(0, HELLO_MAC1_OFFSET)).slice(0, 16);
  hello.set(mac1, HELLO_MAC1_OFFSET);

  const cookieSecret = fill(32, 0x5c);
  const source = { ip: "192.0.2.1", port: 4100 };
  const cookieInput = Uint8Array.from([...utf8(source.ip), source.port >> 8, source.port & 0xff, ...mac1]);
  const cookie = hmacSha256(cookieSecret, cookieInput).slice(0, 16);
  const helloWithCookie = hello.slice();
  setHelloCookie(helloWithCookie, cookie);

  const response = respondHandshake({ identity: BOB, prologue, message: initiation.message });
  if (response === undefined) throw new Error("bob does not read alice's Hello");
  const nodes = encodeNodes({
    type: "nodes",
    query: 7,
    attached: true,
    contacts: [{ id: BOB.id, address: { ip: "198.51.100.2", port: 4200 } }],
  });
  const welcomePayload = encodeWelcomePayload({ epoch: fill(8, 0xe2), nodes });
  const { message: message2, keys: bobs } = response.respond(welcomePayload, fixedRandom(E_BOB));
  const welcome = encodeWelcome(BOB_INDEX, ALICE_INDEX, message2);
  const finished = initiation.finish(message2);
  if (finished === undefined) throw new Error("alice does not read bob's Welcome");
  const data = (receiverIndex: number, counter: number, keys: typeof bobs, plaintext: Uint8Array) => {
    const header = encodeDataHeader(receiverIndex, counter);
    return Uint8Array.from([...header, ...keys.send.seal(counter, header, plaintext)]);
  };

  const ping = frames([FRAME_KIND.ping, undefined, count(8)]);
  const several = frames(
    [FRAME_KIND.bye, undefined, Uint8Array.of(2)],
    [0x7f, undefined, count(3)],
    [0xff, 9, count(2)],
  );
  return toJson({
    network: NETWORK,
    hello: {
      initiator: ALICE.id,
      responder: BOB.id,
      ephemeralSeed: fill(32, E_ALICE),
      senderIndex: ALICE_INDEX,
      payload: { timestampMs: WALL_MS, epoch: fill(8, 0xe1), lookup },
      payloadBytes: helloPayload,
      message: initiation.message,
      mac1,
      datagram: hello,
    },
    cookie: {
      receiverIndex: ALICE_INDEX,
      mac1,
      // How a responder makes its cookies is its own affair; this is how Starling's does.
      example: { secret: cookieSecret, ip: source.ip, port: source.port },
      cookie,
      datagram: encodeCookie(ALICE_INDEX, mac1, cookie),
      helloWithCookie,
    },
    welcome: {
      ephemeralSeed: fill(32, E_BOB),
      senderIndex: BOB_INDEX,
      receiverIndex: ALICE_INDEX,
      payload: { epoch: fill(8, 0xe2), nodes },
      payloadBytes: welcomePayload,
      message: message2,
      handshakeHash: finished.keys.handshakeHash,
      datagram: welcome,
    },
    data: [
      {
        from: "initiator",
        receiverIndex: BOB_INDEX,
        counter: 0,
        frames: ping,
        datagram: data(BOB_INDEX, 0, finished.keys, ping),
      },
      {
        from: "responder",
        receiverIndex: ALICE_INDEX,
        counter: 0,
        frames: ping,
        datagram: data(ALICE_INDEX, 0, bobs, ping),
      },
      {
        from: "responder",
        receiverIndex: ALICE_INDEX,
        counter: 2 ** 32 + 5,
        frames: several,
        datagram: data(ALICE_INDEX, 2 ** 32 + 5, bobs, several),
      },
    ],
    channel: renewalVectors(),
  });
}

/** New keys inside an open channel: the handshake and nothing else. */
function renewalVectors(): Json {
  const prologue = protocolPrologue(NETWORK, "channel");
  const nothing = new Uint8Array(0);
  const random = fixedRandom(E_ALICE_ANEW);
  const initiation = initiateHandshake({ identity: ALICE, responder: BOB.id, prologue, payload: nothing, random });
  const response = respondHandshake({ identity: BOB, prologue, message: initiation.message });
  if (response === undefined) throw new Error("bob does not read alice's Hello");
  const { message, keys } = response.respond(nothing, fixedRandom(E_BOB_ANEW));
  return toJson({
    hello: {
      ephemeralSeed: fill(32, E_ALICE_ANEW),
      senderIndex: ALICE_INDEX,
      message: initiation.message,
      record: encodeChannelHello(ALICE_INDEX, initiation.message),
    },
    welcome: {
      ephemeralSeed: fill(32, E_BOB_ANEW),
      senderIndex: BOB_INDEX,
      receiverIndex: ALICE_INDEX,
      message,
      handshakeHash: keys.handshakeHash,
      record: encodeWelcome(BOB_INDEX, ALICE_INDEX, message),
    },
  });
}

function frames(...list: readonly (readonly [number, number | undefined, Uint8Array])[]): Uint8Array {
  const target = new Uint8Array(1171);
  let at = 0;
  for (const [kind, number, body] of list) at = writeFrame(target, at, { kind, number, body });
  return target.slice(0, at);
}
