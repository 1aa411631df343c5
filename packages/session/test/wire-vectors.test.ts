// The handshake of docs/PROTOCOL.md's vectors, played by two session tables: the machine puts on the wire what the vectors say.
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { bytesToHex, hexToBytes } from "@starling/wire-protocol";
import { createSessionCrypto, SessionTable } from "../src/index.ts";

type Vectors = {
  readonly hello: {
    readonly payload: { readonly timestampMs: number; readonly epoch: string; readonly lookup: string };
    readonly ephemeralSeed: string;
    readonly senderIndex: number;
    readonly datagram: string;
  };
  readonly cookie: { readonly datagram: string; readonly helloWithCookie: string };
  readonly welcome: {
    readonly payload: { readonly epoch: string; readonly nodes: string };
    readonly ephemeralSeed: string;
    readonly senderIndex: number;
    readonly datagram: string;
  };
};

const file = new URL("../../wire-protocol/vectors/datagrams.json", import.meta.url);
const { hello, cookie, welcome }: Vectors = JSON.parse(readFileSync(file, "utf8"));
const unhex = (text: string) => hexToBytes(text, text.length / 2) ?? new Uint8Array(0);
const ALICE_AT = { ip: "192.0.2.1", port: 4100 };
const BOB_AT = { ip: "192.0.2.2", port: 4200 };
const now = { mono: 0, wall: hello.payload.timestampMs };

/** A side whose random bytes are the vectors': by their number it is told what they are for. */
function side(seedByte: number, drawn: { epoch: string; index: number; ephemeral: string }, nodes: string) {
  const bySize = new Map([
    [8, unhex(drawn.epoch)],
    [4, Uint8Array.of(drawn.index >>> 24, drawn.index >>> 16, drawn.index >>> 8, drawn.index)],
    [32, unhex(drawn.ephemeral)],
  ]);
  const random = (sizeBytes: number) => (bySize.get(sizeBytes) ?? new Uint8Array(sizeBytes)).slice();
  const identity = identityFromSeed(new Uint8Array(32).fill(seedByte));
  const crypto = createSessionCrypto({ identity, network: "vectors", random });
  const asked: string[] = [];
  const owner = {
    pongBody: ({ echo }: { echo: Uint8Array }) => echo,
    nodesBody: (lookup: Uint8Array) => {
      asked.push(bytesToHex(lookup));
      return unhex(nodes);
    },
  };
  return { id: identity.id, table: new SessionTable({ crypto, random, owner }), asked };
}

function sides() {
  const alice = side(1, { epoch: hello.payload.epoch, index: hello.senderIndex, ephemeral: hello.ephemeralSeed }, "");
  const bobs = { epoch: welcome.payload.epoch, index: welcome.senderIndex, ephemeral: welcome.ephemeralSeed };
  return { alice, bob: side(2, bobs, welcome.payload.nodes) };
}

const sent = (table: SessionTable) => table.flush(now).map(({ datagram }) => bytesToHex(datagram));

test("Hello, Welcome and a first Data that confirms it", () => {
  const { alice, bob } = sides();
  alice.table.connect(bob.id, BOB_AT, now, { lookup: unhex(hello.payload.lookup) });
  expect(sent(alice.table)).toEqual([hello.datagram]);

  expect(bob.table.receive(unhex(hello.datagram), ALICE_AT, now)).toEqual([]);
  expect(bob.asked).toEqual([hello.payload.lookup]);
  expect(sent(bob.table)).toEqual([welcome.datagram]);

  const events = alice.table.receive(unhex(welcome.datagram), BOB_AT, now);
  expect(events.map(({ type }) => type)).toEqual(["opened", "answered", "nodes"]);
  const [data = ""] = sent(alice.table);
  expect(data.slice(0, 26)).toBe("53b0b000010000000000000000");
  expect(bob.table.receive(unhex(data), ALICE_AT, now)).toMatchObject([{ type: "opened", peer: alice.id }]);
});

test("a Cookie has the same Hello sent again with it", () => {
  const { alice, bob } = sides();
  alice.table.connect(bob.id, BOB_AT, now, { lookup: unhex(hello.payload.lookup) });
  sent(alice.table);
  alice.table.receive(unhex(cookie.datagram), BOB_AT, now);
  expect(sent(alice.table)).toEqual([cookie.helloWithCookie]);
});
