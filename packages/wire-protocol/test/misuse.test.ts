// What a caller may not encode throws with a code; and refusals by decoders that no mutated golden bytes reach.
import { expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import {
  bytesToHex,
  decodeLookup,
  decodeMessage,
  decodePublication,
  encodeChannelHello,
  encodeCookie,
  encodeHello,
  encodeMessage,
  encodeNodes,
  encodeSend,
  encodeWelcome,
  envelopeDigest,
  FRAME_KIND,
  hexToBytes,
  type Message,
  PUBLICATION_CONTENT_MAX_BYTES,
  setHelloCookie,
  signNodeRecord,
  signPublication,
} from "../src/index.ts";
import { takeBytes } from "../src/slab.ts";

const ALICE = identityFromSeed(new Uint8Array(32).fill(1));
const random = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(7);
const address = { ip: "192.0.2.1", port: 80 };
const code = (name: string) => expect.objectContaining({ code: name });
const record = (addresses: readonly { ip: string; port: number }[]) =>
  signNodeRecord({ identity: ALICE, network: "test", sequence: 1, role: "node", addresses, random });
const publication = (topic: string, content = new Uint8Array(1)) =>
  signPublication({ identity: ALICE, network: "test", timestampMs: 5, topic, content, random });

test.each<[string, string, () => unknown]>([
  [
    "nine contacts",
    "E_BAD_VALUE",
    () => encodeNodes({ type: "nodes", query: 1, attached: false, contacts: Array(9).fill({ id: ALICE.id, address }) }),
  ],
  ["a record of five addresses", "E_BAD_VALUE", () => record(Array(5).fill(address))],
  ["an ip in another spelling", "E_BAD_ADDRESS", () => record([{ ip: "2001:DB8::1", port: 80 }])],
  ...[0, -1, 65_536, 1.5, Number.NaN].flatMap((port): [string, string, () => unknown][] => [
    [`port ${port} of IPv4`, "E_BAD_ADDRESS", () => record([{ ip: "192.0.2.1", port }])],
    [`port ${port} of IPv6`, "E_BAD_ADDRESS", () => record([{ ip: "2001:db8::1", port }])],
  ]),
  ["a Hello around 1,162 bytes", "E_BAD_VALUE", () => encodeHello(1, random(1162))],
  ["a Hello around 1,164 bytes", "E_BAD_VALUE", () => encodeHello(1, random(1164))],
  ["a channel's Hello around 95 bytes", "E_BAD_VALUE", () => encodeChannelHello(1, random(95))],
  ["a channel's Hello around 97 bytes", "E_BAD_VALUE", () => encodeChannelHello(1, random(97))],
  ["a Welcome around 47 bytes", "E_BAD_VALUE", () => encodeWelcome(1, 2, random(47))],
  ["a Cookie with a mac1 of 15 bytes", "E_BAD_VALUE", () => encodeCookie(1, random(15), random(16))],
  ["a Cookie with a mac1 of 32 bytes", "E_BAD_VALUE", () => encodeCookie(1, random(32), random(16))],
  ["a Cookie with a cookie of 15 bytes", "E_BAD_VALUE", () => encodeCookie(1, random(16), random(15))],
  ["a cookie of 15 bytes in a Hello", "E_BAD_VALUE", () => setHelloCookie(encodeHello(1, random(1163)), random(15))],
  ["a topic of 129 bytes", "E_TOO_LARGE", () => publication(`${"ä".repeat(64)}x`)],
  ["no short id", "E_BAD_VALUE", () => encodeMessage({ type: "have", shortIds: [] })],
  ["65 short ids", "E_BAD_VALUE", () => encodeMessage({ type: "want", shortIds: Array(65).fill("0".repeat(16)) })],
  ["a short id that is none", "E_BAD_VALUE", () => encodeMessage({ type: "have", shortIds: ["g".repeat(16)] })],
  [
    "a digest whose xor is none",
    "E_BAD_VALUE",
    () => encodeMessage({ type: "digest", fromMs: 1, toMs: 2, count: 0, combined: "0" }),
  ],
  [
    "a Send of 25 hops",
    "E_BAD_VALUE",
    () => encodeSend({ hops: 25, last: false, nonImproving: 0, encodedEnvelope: new Uint8Array(1) }),
  ],
  [
    "a Send of five steps aside",
    "E_BAD_VALUE",
    () => encodeSend({ hops: 0, last: false, nonImproving: 5, encodedEnvelope: new Uint8Array(1) }),
  ],
])("%s cannot be encoded", (_name, name, encode) => {
  expect(encode).toThrow(code(name));
});

test("whether a Publish is wanted goes over the wire both ways", () => {
  const read = decodePublication(publication("topic"));
  if (!read.ok) throw new Error(read.reason);
  for (const wanted of [true, false]) {
    const message: Message = { type: "publish", hops: 3, wanted, publication: read.value };
    expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
  }
});

test("a digest that ends before it begins is refused", () => {
  const frame = encodeMessage({ type: "digest", fromMs: 2, toMs: 1, count: 0, combined: "0".repeat(16) });
  expect(frame.kind).toBe(FRAME_KIND.digest);
  expect(decodeMessage(frame)).toEqual({ ok: false, reason: "bad-value" });
});

test("a publication of more content than is allowed is refused, however well it is formed", () => {
  const fits = publication("", new Uint8Array(PUBLICATION_CONTENT_MAX_BYTES));
  expect(decodePublication(fits)).toMatchObject({ ok: true });
  const more = new Uint8Array(fits.length + 1);
  more.set(fits);
  const lengthAt = fits.length - PUBLICATION_CONTENT_MAX_BYTES - 2;
  new DataView(more.buffer).setUint16(lengthAt, PUBLICATION_CONTENT_MAX_BYTES + 1);
  expect(decodePublication(more)).toEqual({ ok: false, reason: "too-long" });
});

test("a Lookup of what is no key is refused", () => {
  expect(decodeLookup(new Uint8Array(36))).toEqual({ ok: false, reason: "bad-id" });
});

test("hex that is not of the size asked for, or not lower-case digits, is none", () => {
  expect(hexToBytes("0aff", 2)).toEqual(Uint8Array.of(10, 255));
  for (const text of ["0af", "0aff0", "0AFF", "0agf", ""]) expect(hexToBytes(text, 2)).toBeUndefined();
});

test("an envelope larger than the digest's scratch has a digest of the same rule", () => {
  // SHA-256 of the largest class is worked out in memory of its own; the small one after it is not disturbed.
  const small = new Uint8Array(400).fill(3);
  const before = bytesToHex(envelopeDigest("test", small));
  const large = new Uint8Array(9_000).fill(4);
  const digest = bytesToHex(envelopeDigest("test", large));
  const restamped = large.slice();
  restamped.fill(9, 71, 85);
  expect(bytesToHex(envelopeDigest("test", restamped))).toBe(digest);
  restamped[8_999] = 9;
  expect(bytesToHex(envelopeDigest("test", restamped))).not.toBe(digest);
  expect(bytesToHex(envelopeDigest("test", small))).toBe(before);
});

test("bytes that are taken are zeros of their own, whatever their size", () => {
  const taken = [10, 16_384, 16_385, 60_000, 10].map((sizeBytes) => takeBytes(sizeBytes).fill(1));
  expect(taken.map(({ length }) => length)).toEqual([10, 16_384, 16_385, 60_000, 10]);
  expect([...takeBytes(10)]).toEqual(Array(10).fill(0));
  for (const bytes of taken) expect(bytes.every((byte) => byte === 1)).toBe(true);
});
