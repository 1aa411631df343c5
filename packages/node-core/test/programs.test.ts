// What programs ask of a whole node, and hear: four cores joined by hand, in virtual time. Their channels get no RTC stack.
import { beforeEach, describe, expect, test } from "@jest/globals";
import { createMint } from "@starling/hashcash";
import { formatAddress } from "@starling/wire-protocol";
import { NodeCore, type NodeInput, type NodeOutput } from "../src/index.ts";
import { counterRandom, FLOOR, identity, WALL } from "./support.ts";

const COUNT = 4;
const ids = Array.from({ length: COUNT }, (_, at) => identity(at + 1).id);
const idAt = (at: number) => ids[at] as (typeof ids)[number];
const NOBODY = identity(99).id;
const addressOf = (at: number) => ({ ip: "127.0.0.1", port: 4000 + at });

let mono: number;
let cores: NodeCore[];
let outside: { readonly at: number; readonly output: NodeOutput }[];
/** Whether stamps are minted, and what is to be stored is. */
let mints: boolean;
let stores: boolean;
/** A node whose datagrams are all lost. */
let mute: number | undefined;
const now = () => ({ mono, wall: WALL + mono });

function perform(at: number, outputs: readonly NodeOutput[]): void {
  for (const output of outputs) {
    if (output.type === "transmit") {
      if (at === mute) continue;
      const to = ids.findIndex((_, index) => formatAddress(addressOf(index)) === formatAddress(output.to));
      if (to >= 0) tell(to, { type: "datagram", from: addressOf(at), bytes: output.datagram });
    } else if (output.type === "mint") {
      const { job, digest, effort, startNonce } = output;
      const nonce = mints ? createMint({ digest, effort, startNonce }).run(100_000) : undefined;
      tell(at, nonce === undefined ? { type: "mint-failed", job } : { type: "minted", job, nonce });
    } else {
      outside.push({ at, output });
      if (output.type === "store" && stores) tell(at, { type: "written", key: output.entry.key });
      if (output.type === "store") tell(at, { type: "stored", key: output.entry.key, ok: stores });
    }
  }
}
function tell(at: number, input: NodeInput): void {
  const core = cores[at];
  if (core !== undefined) perform(at, core.handle(input, now()));
}
function run(ms: number): void {
  for (const end = mono + ms; mono < end; mono += 100) {
    for (const [at, core] of cores.entries()) perform(at, core.tick(now()));
  }
}
/** What came out of one node since this was last asked, of one type. */
function heard<Type extends NodeOutput["type"]>(at: number, type: Type): Extract<NodeOutput, { type: Type }>[] {
  const is = (output: NodeOutput): output is Extract<NodeOutput, { type: Type }> => output.type === type;
  const found = outside.flatMap((each) => (each.at === at && is(each.output) ? [each.output] : []));
  outside = outside.filter((each) => each.at !== at || each.output.type !== type);
  return found;
}
const coreAt = (at: number) => cores[at] as NodeCore;
const text = (words: string) => new TextEncoder().encode(words);
const to = (at: number) => ({ to: idAt(at), content: text("hi"), topic: "t", via: "any", timeoutMs: 10_000 }) as const;

beforeEach(() => {
  [mono, outside, mints, stores, mute] = [0, [], true, true, undefined];
  const random = counterRandom();
  const shared = {
    network: "test",
    announce: [],
    maxNeighbours: 8,
    random,
    floor: () => FLOOR,
    publishFloor: () => FLOOR,
  };
  cores = ids.map((_, at) => {
    const bootstrap = at === 1 ? [] : [{ id: idAt(1), address: addressOf(1) }];
    const icePolicy = at === 3 ? "relayed-only" : "all";
    return new NodeCore({ ...shared, identity: identity(at + 1), bootstrap, icePolicy }, now());
  });
  for (let at = 0; at < COUNT; at += 1) tell(at, { type: "listening", on: true });
  run(60_000);
});

describe("a program's message", () => {
  test("goes over the link to its recipient, or around it where it is to be relayed", () => {
    tell(0, { type: "submit", id: "near", ...to(2) });
    tell(0, { type: "submit", id: "around", ...to(2), via: "relay" });
    run(5_000);
    const receipts = heard(0, "receipt");
    expect(receipts.map(({ id, receipt }) => [id, receipt.path])).toEqual([
      ["near", "session"],
      ["around", "relayed"],
    ]);
    expect(heard(2, "deliver").map(({ message }) => [message.from, message.topic])).toEqual([
      [idAt(0), "t"],
      [idAt(0), "t"],
    ]);
  });

  test("that could not be stored has no receipt until it is", () => {
    stores = false;
    tell(0, { type: "submit", id: "late", ...to(2) });
    run(1_000);
    expect(heard(0, "receipt")).toEqual([]);
    stores = true;
    run(9_000);
    expect(heard(0, "receipt")).toMatchObject([{ id: "late" }]);
    expect(heard(2, "deliver")).toHaveLength(1);
  });

  test("to nobody fails at its deadline; until then it is open, unless it is cancelled; without stamps it fails too", () => {
    const nobody = { ...to(0), to: NOBODY, timeoutMs: 4_000 };
    tell(0, { type: "submit", id: "lost", ...nobody });
    tell(0, { type: "ping", id: "ping", to: NOBODY, via: "any", timeoutMs: 4_000 });
    tell(0, { type: "submit", id: "given up", ...nobody });
    run(1_000);
    expect(coreAt(0).openMessages(mono)).toMatchObject([{ kind: "message" }, { kind: "ping" }, { kind: "message" }]);
    tell(0, { type: "cancel", id: "given up" });
    expect(coreAt(0).openMessages(mono)).toHaveLength(2);
    mints = false;
    tell(0, { type: "submit", id: "unstamped", ...nobody });
    run(5_000);
    const failed = heard(0, "failed").map(({ id }) => id);
    expect(failed.toSorted()).toEqual(expect.arrayContaining(["lost", "ping", "unstamped"]));
    expect(heard(0, "receipt")).toEqual([]);
    expect(coreAt(0).openMessages(mono)).toEqual([]);
  });

  test("may be a request: its asker hears the reply, and who replies to what nobody asked hears so", () => {
    tell(0, { type: "request", id: "ask", ...to(2) });
    run(2_000);
    const [delivered] = heard(2, "deliver");
    if (delivered === undefined) throw new Error("nothing was asked");
    expect(delivered.message.kind).toBe("request");
    tell(2, { type: "reply", id: "answer", requestId: delivered.message.messageId, content: text("yes") });
    run(2_000);
    expect(heard(0, "answered")).toMatchObject([{ id: "ask" }]);
    for (const requestId of [delivered.message.messageId, "00".repeat(16), "no id"]) {
      tell(2, { type: "reply", id: "again", requestId, content: text("no") });
    }
    expect(heard(2, "failed").map(({ code }) => code)).toEqual(Array(3).fill("E_NO_REQUEST"));
  });
});

test("a reply that comes again, because its acks were lost, is acknowledged and answers once", () => {
  tell(0, { type: "request", id: "ask", ...to(2) });
  run(2_000);
  const [delivered] = heard(2, "deliver");
  mute = 0;
  tell(2, { type: "reply", id: "answer", requestId: delivered?.message.messageId ?? "", content: text("yes") });
  run(1_500);
  expect([heard(0, "answered").length, heard(2, "receipt")]).toEqual([1, []]);
  mute = undefined;
  run(8_000);
  expect(heard(0, "answered")).toEqual([]);
  expect(heard(2, "receipt")).toMatchObject([{ id: "answer" }]);
  expect(coreAt(0).counts()["delivered.reply"]).toBe(1);
});

test("a message under an id that is under way is none of its own", () => {
  const nobody = { ...to(0), to: NOBODY, messageId: new Uint8Array(16).fill(5) };
  for (const id of ["first", "second"]) tell(0, { type: "submit", id, ...nobody });
  expect(heard(0, "failed")).toMatchObject([{ id: "second", code: "E_DUPLICATE" }]);
});

test("a ping is answered by the node, not by its programs", () => {
  tell(0, { type: "ping", id: "ping", to: idAt(2), via: "any", timeoutMs: 5_000 });
  run(1_000);
  expect(heard(0, "receipt")).toMatchObject([{ id: "ping" }]);
  expect(heard(2, "deliver")).toEqual([]);
});

test("a trace says how a message would go: over the own link, or who was asked and what they said", () => {
  tell(0, { type: "trace", id: "near", to: idAt(1) });
  expect(heard(0, "traced")).toMatchObject([
    { id: "near", steps: [{ node: idAt(0), asked: "own link", answer: "session" }] },
  ]);
  tell(0, { type: "trace", id: "far", to: NOBODY });
  run(6_000);
  const [traced] = heard(0, "traced");
  expect(traced?.steps[0]).toMatchObject({ node: idAt(0), answer: "none" });
  expect(traced?.steps.slice(1).map(({ answer }) => answer)).not.toContain("yes");
  expect(traced?.steps.length).toBeGreaterThan(1);
  // Those who are asked are gone: they do not answer.
  const alone = coreAt(0);
  cores = [alone];
  tell(0, { type: "trace", id: "silent", to: NOBODY });
  run(6_000);
  const [silent] = heard(0, "traced");
  expect(silent?.steps.slice(1).map(({ answer }) => answer)).toContain("no answer");
  for (let i = 0; i < 300; i += 1) tell(0, { type: "trace", id: `more ${i}`, to: identity(100 + (i % 100)).id });
  run(30_000);
  expect(heard(0, "traced").length + heard(0, "failed").length).toBe(300);
});

test("a broadcast is handed to programs everywhere but at home, once its time has come", () => {
  tell(0, { type: "broadcast", id: "news", content: text("news"), topic: "all" });
  tell(0, { type: "broadcast", id: "large", content: new Uint8Array(20_000), topic: "all" });
  run(3_000);
  expect(heard(0, "broadcast-sent")).toMatchObject([{ id: "news" }]);
  expect(heard(0, "failed")).toMatchObject([{ id: "large", code: "E_TOO_LARGE" }]);
  for (const at of [1, 2, 3]) {
    expect(heard(at, "deliver-broadcast").map(({ message }) => message.from)).toEqual([idAt(0)]);
    expect(coreAt(at).counts()["delivered.broadcast"]).toBe(1);
  }
  expect(heard(0, "deliver-broadcast")).toEqual([]);
});

describe("a link that a program asks for", () => {
  test("to oneself is none; one that is open is told at once; nobody at an address fails for all who asked", () => {
    const nowhere = { ip: "127.0.0.1", port: 9 };
    tell(0, { type: "connect", id: "self", peer: idAt(0), address: addressOf(0) });
    tell(0, { type: "connect", id: "open", peer: idAt(1), address: addressOf(1) });
    expect(heard(0, "failed")).toMatchObject([{ id: "self", code: "E_BAD_ID" }]);
    expect(heard(0, "connected")).toEqual([{ type: "connected", id: "open", peer: idAt(1) }]);
    for (const id of ["a", "b"]) tell(0, { type: "connect", id, peer: NOBODY, address: nowhere });
    run(20_000);
    expect(heard(0, "failed").map(({ id, code }) => [id, code])).toEqual([
      ["a", "E_NO_ROUTE"],
      ["b", "E_NO_ROUTE"],
    ]);
    tell(0, { type: "connect", id: "soon again", peer: NOBODY, address: nowhere });
    expect(heard(0, "failed")).toMatchObject([{ id: "soon again", code: "E_NO_ROUTE" }]);
    for (let i = 0; i < 257; i += 1) {
      tell(0, { type: "connect", id: `${i}`, peer: identity(98).id, address: { ip: "127.0.0.1", port: 10 } });
    }
    expect(heard(0, "failed")).toMatchObject([{ id: "256", code: "E_QUOTA" }]);
  });

  test("as a channel: none to oneself, none where the address is hidden, and no other than one that opens in time", () => {
    tell(0, { type: "connect", id: "self", peer: idAt(0) });
    tell(3, { type: "connect", id: "hidden", peer: idAt(0) });
    expect(heard(0, "failed")).toMatchObject([{ id: "self", code: "E_BAD_ID" }]);
    expect(heard(3, "failed")).toMatchObject([{ id: "hidden", code: "E_NO_CHANNEL" }]);
    tell(0, { type: "connect", id: "channel", peer: idAt(2) });
    for (let i = 1; i < 256; i += 1) tell(0, { type: "connect", id: `${i}`, peer: idAt(2) });
    expect(heard(0, "failed")).toEqual([]);
    tell(0, { type: "connect", id: "one more", peer: idAt(2) });
    expect(heard(0, "failed")).toMatchObject([{ id: "one more", code: "E_QUOTA" }]);
    run(16_000);
    expect(heard(0, "failed")).toHaveLength(256);
    tell(0, { type: "connect", id: "channel", peer: idAt(2) });
    expect(heard(0, "failed")).toMatchObject([{ id: "channel", code: "E_NO_CHANNEL" }]);
  });

  test("that is not there can be neither closed nor severed, and a channel that nobody knows says nothing", () => {
    outside = [];
    for (const type of ["disconnect", "sever"] as const) tell(0, { type, peer: NOBODY });
    const channel = "unknown";
    tell(0, { type: "rtc-opened", channel });
    tell(0, { type: "rtc-closed", channel, reason: "gone" });
    tell(0, { type: "rtc-message", channel, message: new Uint8Array(100) });
    tell(0, { type: "rtc-found", channel, candidate: { type: "host", address: addressOf(1) } });
    expect(outside.filter(({ output }) => output.type !== "rtc-close")).toEqual([]);
    expect([coreAt(0).channelPeers(), coreAt(0).channel(NOBODY), coreAt(0).session(NOBODY)]).toEqual([
      [],
      undefined,
      undefined,
    ]);
  });
});

test("a node that closes says so to its neighbours", () => {
  const neighbours = coreAt(1).neighbours().length;
  expect(neighbours).toBeGreaterThan(1);
  perform(0, coreAt(0).close(now()));
  expect(heard(1, "link-closed")).toMatchObject([{ peer: idAt(0), reason: "bye" }]);
  expect(coreAt(1).neighbours()).toHaveLength(neighbours - 1);
  expect(coreAt(1).contacts().length).toBeGreaterThan(0);
});
