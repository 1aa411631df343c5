import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { encodeBye } from "@starling/wire-protocol";
import { createSessionCrypto, type SessionEvent, SessionTable } from "../src/index.ts";

// A conversation whose every datagram is known to the byte: fixed keys, and "random" bytes that count. Each table is fed what
// stands in the list, never what the other made, so the bytes are proved in both directions. A change of them is a change of the
// protocol.

type Line = { readonly from: "alice" | "bob"; readonly is: string; readonly hex: string };
const LINES: readonly Line[] = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

const ADDRESSES = { alice: { ip: "192.0.2.1", port: 4_000 }, bob: { ip: "2001:db8::2", port: 5_000 } };
const at = (mono: number) => ({ mono, wall: 1_700_000_000_000 + mono });

function party(seed: number, limits = {}) {
  let count = 0;
  const random = (sizeBytes: number) => {
    count += 1;
    return Uint8Array.from({ length: sizeBytes }, (_, index) => (seed * 64 + count * 16 + index) & 0xff);
  };
  const identity = identityFromSeed(new Uint8Array(32).fill(seed));
  const crypto = createSessionCrypto({ identity, network: "golden", random });
  const owner = {
    pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo,
    nodesBody: (lookup: Uint8Array) => Uint8Array.from([...lookup, 0xbb]),
  };
  return { id: identity.id, table: new SessionTable({ crypto, random, owner, limits }) };
}

test("a conversation, byte for byte, in both directions", () => {
  // One handshake a second, so that Bob's second one asks for a cookie.
  const parties = { alice: party(1), bob: party(2, { handshakesPerSecond: 1 }) };
  const [alice, bob] = [parties.alice, parties.bob];
  const lines = [...LINES];
  const made: Line[] = [];
  /** What a table sends now must be what the list says next; the list's own bytes go to the other. */
  const exchange = (from: Line["from"], mono: number, ...is: string[]): SessionEvent[] => {
    const sent = parties[from].table.flush(at(mono)).map(({ datagram }) => Buffer.from(datagram).toString("hex"));
    made.push(...sent.map((hex, index) => ({ from, is: is[index] ?? "?", hex })));
    const expected = lines.splice(0, is.length);
    expect(expected.map((line) => [line.from, line.is])).toEqual(is.map((name) => [from, name]));
    expect(sent).toEqual(expected.map((line) => line.hex));
    const to = from === "alice" ? bob : alice;
    return expected.flatMap(({ hex }) => to.table.receive(Buffer.from(hex, "hex"), ADDRESSES[from], at(mono + 1)));
  };

  alice.table.connect(bob.id, ADDRESSES.bob, at(0), { lookup: Uint8Array.of(0xaa) });
  exchange("alice", 0, "Hello with a Lookup");
  expect(exchange("bob", 1, "Welcome with Nodes")).toMatchObject([
    { type: "opened", peer: bob.id, initiator: true },
    { type: "answered", peer: bob.id, address: ADDRESSES.bob },
    { type: "nodes", body: Uint8Array.of(0xaa, 0xbb) },
  ]);
  expect(exchange("alice", 2, "Data: Ping")).toMatchObject([{ type: "opened", peer: alice.id, initiator: false }]);
  exchange("bob", 3, "Data: Pong, Ping");
  exchange("alice", 4, "Data: Pong");
  bob.table.receive(Buffer.from("000100002112a442b7e7a701bc34d686fa87dfae", "hex"), ADDRESSES.alice, at(5));
  expect(exchange("bob", 5, "STUN answer")).toEqual([]);
  alice.table.send(bob.id, { kind: 0x85, body: Uint8Array.of(1, 2, 3) }, at(6), 7);
  alice.table.send(bob.id, { kind: 0x03, body: Uint8Array.of(4) }, at(6));
  expect(exchange("alice", 6, "Data: a frame that is sent once, a reliable one")).toMatchObject([
    { type: "frame", frame: { kind: 0x03, body: Uint8Array.of(4) } },
    { type: "frame", frame: { kind: 0x85, body: Uint8Array.of(1, 2, 3) } },
  ]);
  expect(exchange("bob", 12, "Data: Ack")).toMatchObject([{ type: "acknowledged", token: 7 }]);
  const large = Uint8Array.from({ length: 1_500 }, (_, index) => index & 0xff);
  bob.table.send(alice.id, { kind: 0x84, body: large }, at(13));
  expect(exchange("bob", 13, "Data: first fragment of two", "Data: second fragment")).toMatchObject([
    { type: "frame", frame: { kind: 0x84, body: large } },
  ]);
  // New keys: the Hello meets a responder under load.
  alice.table.connect(bob.id, ADDRESSES.bob, at(20), { attemptsMs: [0] });
  exchange("alice", 20, "Hello", "Data: Ack");
  exchange("bob", 21, "Cookie");
  exchange("alice", 22, "Hello with the cookie");
  exchange("bob", 23, "Welcome");
  exchange("alice", 24, "Data: Ping under new keys");
  expect(alice.table.close(bob.id, encodeBye({ type: "bye", reason: "closing" }), at(25))).toHaveLength(1);
  expect(exchange("alice", 25, "Data: Bye")).toMatchObject([{ type: "closed", reason: "bye", bye: Uint8Array.of(0) }]);
  expect(lines).toEqual([]);
  // Nothing in it was refused but the STUN answer, which a table has no use for.
  const dropped = [...alice.table.counters, ...bob.table.counters].filter(([name]) => name.startsWith("dropped."));
  expect(dropped).toEqual([["dropped.stun", 1]]);
});
