// Datagrams as a stranger would make them, of every kind.

import { createHash, createHmac } from "node:crypto";
import { generateIdentity, type NodeId, nodeIdToBytes } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable } from "@starling/session";
import {
  COOKIE,
  DATA,
  encodeHello,
  encodeLookup,
  HELLO,
  HELLO_MAC1_OFFSET,
  HELLO_MESSAGE_BYTES,
  WELCOME,
} from "@starling/wire-protocol";
import { stunBindingRequest } from "./stun.ts";

type Random = (sizeBytes: number) => Uint8Array;

/** Hellos that a node answers, each of another identity; with a Lookup inside, when asked. */
export function validHellos(
  target: NodeId,
  network: string,
  count: number,
  random: Random,
  hasLookup = false,
): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const crypto = createSessionCrypto({ identity: generateIdentity(random), network, random });
    const owner = { pongBody: () => new Uint8Array(0), nodesBody: () => new Uint8Array(0) };
    const table = new SessionTable({ crypto, random, owner });
    const now = { mono: performance.now(), wall: Date.now() };
    const lookup = encodeLookup({ type: "lookup", query: 1, target: crypto.id });
    table.connect(target, { ip: "192.0.2.1", port: 1 }, now, hasLookup ? { lookup } : {});
    const [first] = table.flush(now);
    if (first === undefined) throw new Error("no Hello");
    return first.datagram;
  });
}

/** Hellos whose mac1 is right, so that only a DH finds out that they are noise. */
function undecryptableHellos(target: NodeId, count: number, random: Random): Uint8Array[] {
  const key = createHash("sha256").update("starling mac1").update(nodeIdToBytes(target)).digest();
  return Array.from({ length: count }, () => {
    const hello = encodeHello(1, random(HELLO_MESSAGE_BYTES));
    // The top bit of a public key is not in use.
    hello[36] = (hello[36] ?? 0) & 0x7f;
    const mac = createHmac("sha256", key).update(hello.subarray(0, HELLO_MAC1_OFFSET)).digest();
    hello.set(mac.subarray(0, 16), HELLO_MAC1_OFFSET);
    return hello;
  });
}

/** Noise of this size behind the first byte of a kind. */
export function noise(kind: number | undefined, sizeBytes: number, random: Random): Uint8Array {
  const bytes = random(sizeBytes);
  if (kind !== undefined && sizeBytes > 0) bytes[0] = kind;
  return bytes;
}

/** All kinds that need neither a session nor a copy of somebody's datagram. */
export function strangersDatagrams(target: NodeId, network: string, random: Random): [string, Uint8Array[]][] {
  const each = (kind: number | undefined, sizes: readonly number[]) => sizes.map((size) => noise(kind, size, random));
  const [hello = new Uint8Array(0)] = validHellos(target, network, 1, random);
  return [
    ["Hello", validHellos(target, network, 40, random)],
    ["Hello with a Lookup", validHellos(target, network, 40, random, true)],
    ["Hello, again and again", [hello]],
    ["Hello that does not decrypt", undecryptableHellos(target, 40, random)],
    ["Hello with a wrong mac1", each(HELLO, [1_200])],
    ["Hello too short", [hello.subarray(0, 1_199), hello.subarray(0, 600), hello.subarray(0, 29)]],
    ["Welcome", each(WELCOME, [29, 57, 400, 1_200])],
    ["Cookie", each(COOKIE, [37, 29, 100])],
    ["Data", each(DATA, [29, 30, 45, 200, 1_200])],
    ["STUN Binding request", [stunBindingRequest(random(12))]],
    ["garbage", each(undefined, [0, 1, 2, 13, 28, 29, 37, 57, 300, 1_199, 1_200, 1_201, 1_472])],
  ];
}
