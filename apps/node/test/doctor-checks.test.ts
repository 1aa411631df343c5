import { describe, expect, test } from "@jest/globals";
import type { LinkInfo, NodeStatus, PeerInfo } from "@starling/local-client";
import { type Check, checksOf } from "../src/cli/doctor-checks.ts";
import type { DaemonFacts, DirectoryFacts } from "../src/cli/doctor-facts.ts";

const GB = 1e9;
const directory: DirectoryFacts = {
  path: "/data",
  mode: 0o40700,
  isOwn: true,
  keyMode: 0o100600,
  keyPath: "/data/node.key",
  freeBytes: 5 * GB,
};
const status: NodeStatus = {
  id: "aa",
  network: "test",
  version: "1.2.3",
  uptimeMs: 60_000,
  listen: "10.0.0.5:4100",
  observed: null,
  reachability: "unknown",
  bootstrap: ["bb@198.51.100.1:4100"],
  sessions: 0,
  channels: 0,
  anchors: [],
  waiting: 0,
  counters: {},
  price: { send: 1, publish: 1 },
};
const linkTo = (peer: string, changes: Partial<LinkInfo> = {}): LinkInfo => ({
  peer,
  link: "session",
  address: "198.51.100.1:4100",
  rttMs: 20,
  since: 0,
  heardMs: 100,
  sentBytes: 10,
  receivedBytes: 10,
  queuedBytes: 0,
  observed: "203.0.113.9:4100",
  clockAheadMs: 15,
  ...changes,
});
const peerOf = (id: string, reachable = true): PeerInfo => ({
  ...{ id, address: "198.51.100.1:4100", link: "session" as const, rttMs: 20, since: 0, anchor: true, reachable },
});
const FIRST = linkTo("bb");
const SECOND = linkTo("cc", { address: "192.0.2.7:4100" });

function check(name: Check["name"], facts: Partial<DaemonFacts>, where: Partial<DirectoryFacts> = {}): Check {
  const daemon = { status, peers: [peerOf("bb")], links: [FIRST, SECOND], answerMs: 3, ...facts };
  const checks = checksOf({ directory: { ...directory, ...where }, daemon, ownIps: new Set(["10.0.0.5"]) });
  const found = checks.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no check is called ${name}`);
  return found;
}

test("a node that is well: nothing warns, and nothing has to be done that would be needed", () => {
  const daemon = { status, peers: [peerOf("bb")], links: [FIRST, SECOND], answerMs: 3 };
  const checks = checksOf({ directory, daemon, ownIps: new Set(["10.0.0.5"]) });
  expect(checks.map(({ state }) => state)).toEqual(checks.map(() => "ok"));
});

test("no daemon: the directory is still looked at, and it is said how to start one", () => {
  const error = new Error("no daemon listens on /data/s; start it");
  const checks = checksOf({ directory, daemon: { error }, ownIps: new Set() });
  expect(checks).toEqual([
    expect.objectContaining({ name: "data directory", state: "ok" }),
    expect.objectContaining({
      name: "daemon",
      state: "fail",
      seen: "no daemon listens on /data/s",
      advice: expect.stringContaining("starling start"),
    }),
  ]);
});

describe("the data directory", () => {
  test.each([
    ["open to others", { mode: 0o40777 }, "fail", "chmod 700 /data"],
    ["of another user", { isOwn: false }, "fail", "--data-dir"],
    ["a key that others may read", { keyMode: 0o100644 }, "fail", "chmod 600 /data/node.key"],
    ["a disk that is full", { freeBytes: 1000 }, "fail", "free some space"],
  ] as const)("%s", (_what, where, state, advice) => {
    expect(check("data directory", {}, where)).toMatchObject({ state, advice: expect.stringContaining(advice) });
  });
});

describe("UDP and bootstrap", () => {
  test("nothing is answered: a firewall, or a wrong bootstrap node, which is named", () => {
    expect(check("UDP", { links: [] })).toMatchObject({ state: "fail", advice: expect.stringContaining("firewall") });
    expect(check("bootstrap", { links: [] })).toMatchObject({
      state: "fail",
      advice: expect.stringContaining("bb@198.51.100.1:4100"),
    });
  });

  test("a node that has just started is not judged yet", () => {
    const young = { ...status, uptimeMs: 900 };
    expect(check("UDP", { links: [], status: young }).state).toBe("unknown");
    expect(check("bootstrap", { links: [], status: young }).state).toBe("unknown");
  });

  test("a bootstrap node is missing while others are there: a warning", () => {
    expect(check("bootstrap", { links: [SECOND] })).toMatchObject({ state: "warn", seen: "0 of 1 have a session" });
  });

  test("alone and without --bootstrap: how to find others", () => {
    const alone = check("UDP", { links: [], status: { ...status, bootstrap: [] } });
    expect(alone).toMatchObject({ state: "warn", advice: expect.stringContaining("--bootstrap") });
  });
});

describe("the clock", () => {
  const off = (...aheadMs: number[]): Check =>
    check("clock", { links: aheadMs.map((clockAheadMs, at) => linkTo(`p${at}`, { clockAheadMs })) });

  test("one liar among three does not count", () => {
    expect(off(20, 3_600_000, 40)).toMatchObject({ state: "ok", seen: "40 ms behind the 3 neighbours" });
  });

  test("half a minute by one neighbour fails; by three it is corrected, two minutes are not", () => {
    expect(off(-40_000)).toMatchObject({ state: "fail", seen: "40 s ahead of the one neighbour" });
    expect(off(40_000, 41_000, 42_000)).toMatchObject({ state: "warn", seen: "41 s behind the 3 neighbours" });
    expect(off(200_000, 200_000, 200_000)).toMatchObject({ state: "fail", advice: expect.stringContaining("NTP") });
  });
});

describe("the NAT", () => {
  const seenAs = (first: string, second: string, changes: Partial<NodeStatus> = {}): Check =>
    check("NAT", {
      links: [
        { ...FIRST, observed: first },
        { ...SECOND, observed: second },
      ],
      status: { ...status, ...changes },
    });

  test("one port for all is easy, another for each is hard and costs channels", () => {
    expect(seenAs("203.0.113.9:1", "203.0.113.9:1")).toMatchObject({
      state: "ok",
      seen: expect.stringContaining("easy"),
    });
    expect(seenAs("203.0.113.9:1", "203.0.113.9:2")).toMatchObject({
      state: "warn",
      seen: expect.stringContaining("hard"),
      advice: expect.stringContaining("relays"),
    });
  });

  test("neighbours of one address cannot tell", () => {
    expect(check("NAT", { links: [FIRST] })).toMatchObject({ state: "unknown" });
  });

  test("none: seen at an address of this machine", () => {
    expect(seenAs("10.0.0.5:4100", "10.0.0.5:4100").seen).toMatch(/^none/);
    const reachable = seenAs("203.0.113.9:1", "203.0.113.9:1", { reachability: "reachable" });
    expect(reachable.seen).toContain("lets others in");
  });
});

test("relays: none that carries messages, one that is far away", () => {
  expect(check("relay latency", { peers: [peerOf("bb", false)] })).toMatchObject({
    state: "warn",
    advice: expect.stringContaining("bootstrap from a relay"),
  });
  expect(check("relay latency", { links: [{ ...FIRST, rttMs: 400 }] })).toMatchObject({ state: "warn" });
});

test("an inbox that fills up warns: of how many topics it is nobody knows", () => {
  const inbox = (waiting: number): Check => check("inbox", { status: { ...status, waiting } });
  expect([inbox(0).state, inbox(3).state, inbox(600).state, inbox(1200).state]).toEqual(["ok", "ok", "warn", "warn"]);
});
