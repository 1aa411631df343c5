// Every file of a data directory, cut short and with a flipped bit: what each load makes of it at a hundred places, and whole starts at
// some. Nothing but a damaged key stops a start, and nothing is ever made up.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { identityFromSeed, systemRandom as random } from "@starling/crypto-identity";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";
import { savedPeersFile } from "@starling/daemon";
import { createLog } from "@starling/daemon/log";
import { connect } from "@starling/local-client";
import { readNodeConfig } from "../src/config.ts";
import { loadOrCreateToken } from "../src/http/http-token.ts";
import { InboxJournal } from "../src/inbox/inbox-journal.ts";
import { startNode } from "../src/wiring.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-state-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLACES = 100;
const MESSAGES = 3;
const from = identityFromSeed(new Uint8Array(32).fill(1)).id;
const files: Record<"node.key" | "inbox.journal" | "peers" | "http-token", Buffer> = {
  "node.key": Buffer.alloc(0),
  "inbox.journal": Buffer.alloc(0),
  peers: Buffer.alloc(0),
  "http-token": Buffer.alloc(0),
};
type Name = keyof typeof files;
let id: string;

/** A data directory with all of them, as a node leaves it. */
beforeAll(async () => {
  const directory = join(folder, "whole");
  mkdirSync(directory, { mode: 0o700 });
  const path = (name: string) => join(directory, name);
  id = (await loadOrCreateKeyFile(path("node.key"), { random })).identity.id;
  await loadOrCreateToken(path("http-token"), random);
  await savedPeersFile({ path }).write([
    { id: from, address: { ip: "127.0.0.1", port: 9 } },
    { id: identityFromSeed(new Uint8Array(32).fill(2)).id, address: { ip: "127.0.0.1", port: 10 } },
  ]);
  const { journal } = await InboxJournal.open({ path: path("inbox.journal"), wallMs: Date.now });
  const now = Date.now();
  await journal.put(
    Array.from({ length: MESSAGES }, (_, i) => ({
      key: `${from}:${String(i).repeat(32)}`,
      kind: "message" as const,
      from,
      messageId: String(i).repeat(32),
      topic: "",
      content: Uint8Array.of(i),
      path: "relayed" as const,
      receivedAtMs: now,
      expiresMs: now + 600_000,
      stream: "00".repeat(8),
      seq: i,
      lowestUnsettledSeq: i,
    })),
  );
  await journal.close();
  for (const name of Object.keys(files) as Name[]) files[name] = readFileSync(path(name));
});

const cutAt = (whole: Buffer, place: number) => whole.subarray(0, place);
function flippedAt(whole: Buffer, place: number): Buffer {
  const flipped = Buffer.from(whole);
  flipped[place] = (flipped[place] ?? 0) ^ (1 << (place % 8));
  return flipped;
}
/** So many places, from the first byte to the last. */
function places(whole: Buffer, count: number): number[] {
  const last = whole.length - 1;
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round((i * last) / (count - 1))))];
}

/** Damages a file at each place in both ways, and looks at what comes of it. */
async function damage(
  name: Name,
  check: (path: string, damaged: Buffer, how: "cut" | "flipped") => Promise<void>,
): Promise<void> {
  const path = join(folder, `damaged-${name}`);
  const whole = files[name];
  for (const place of places(whole, PLACES)) {
    for (const how of ["cut", "flipped"] as const) {
      const damaged = how === "cut" ? cutAt(whole, place) : flippedAt(whole, place);
      writeFileSync(path, damaged, { mode: 0o600 });
      await check(path, damaged, how);
    }
  }
}

test("a key that is cut or altered is refused and left as it is; no other key is made in its place", async () => {
  let refused = 0;
  await damage("node.key", async (path, damaged) => {
    const loaded = await loadOrCreateKeyFile(path, { random }).catch((error: unknown) => error);
    if (loaded instanceof Error) {
      refused += 1;
      expect(loaded).toMatchObject({ code: expect.stringMatching(/^E_KEY_FILE_/) });
    } else {
      // Some bits of the seed are no part of an X25519 key.
      expect(loaded).toMatchObject({ created: false, identity: { id } });
    }
    expect(readFileSync(path)).toEqual(damaged);
  });
  expect(refused).toBeGreaterThan(PLACES);
}, 60_000);

test("an inbox gives what is whole, in its order, and nothing else", async () => {
  const whole = Array.from({ length: MESSAGES }, (_, i) => String(i).repeat(32));
  await damage("inbox.journal", async (path, damaged, how) => {
    const { journal, waiting } = await InboxJournal.open({ path, wallMs: Date.now });
    await journal.close();
    const ids = waiting.map(({ messageId }) => messageId);
    if (how === "cut") {
      // Of the lines that were not cut the first is the header.
      const lineCount = damaged.filter((byte) => byte === 0x0a).length;
      expect(ids).toEqual(whole.slice(0, Math.max(0, lineCount - 1)));
    } else {
      // A newline that is none any more costs the lines on both its sides.
      expect(ids).toEqual(whole.filter((messageId) => ids.includes(messageId)));
      expect(ids.length).toBeGreaterThanOrEqual(MESSAGES - 2);
    }
    for (const { messageId, content } of waiting) expect(content).toEqual(Uint8Array.of(Number(messageId[0])));
  });
}, 60_000);

test("a token is the one it was or a new one, never a part of it, and only its user can read it", async () => {
  const token = files["http-token"].toString().trimEnd();
  await damage("http-token", async (path, damaged) => {
    const loaded = await loadOrCreateToken(path, random);
    expect(loaded).toMatch(/^[0-9a-f]{64}$/);
    const isWhole = damaged.toString("latin1").trimEnd() === loaded;
    if (!isWhole) expect(loaded.slice(0, 16)).not.toBe(token.slice(0, 16));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "latin1").trimEnd()).toBe(loaded);
  });
}, 60_000);

describe("a whole start", () => {
  let dataDir: string;
  const start = async (name: Name, damaged: Buffer) => {
    dataDir = mkdtempSync(join(folder, "start-"));
    for (const [each, content] of Object.entries(files)) writeFileSync(join(dataDir, each), content, { mode: 0o600 });
    writeFileSync(join(dataDir, name), damaged, { mode: 0o600 });
    const config = readNodeConfig({ dataDir, listen: "127.0.0.1:0", http: "127.0.0.1:0", network: "test" }, {});
    return startNode(config, createLog({ level: "silent", name: "test" }));
  };

  test.each(["inbox.journal", "peers", "http-token"] as const)(
    "with a damaged %s: the same key, and what was whole is there",
    async (name) => {
      const whole = files[name];
      for (const place of places(whole, 4)) {
        for (const damaged of [cutAt(whole, place), flippedAt(whole, place)]) {
          const node = await start(name, damaged);
          const client = await connect(node.socket);
          const { id: own, waiting } = await client.status();
          expect(own).toBe(id);
          if (name === "inbox.journal") expect(waiting).toBeLessThanOrEqual(MESSAGES);
          else expect(waiting).toBe(MESSAGES);
          client.close();
          await node.stop();
        }
      }
    },
    120_000,
  );

  test("with a damaged key there is none, and nothing is left locked or listening", async () => {
    const whole = files["node.key"];
    for (const damaged of [cutAt(whole, 40), flippedAt(whole, 60), Buffer.alloc(0)]) {
      await expect(start("node.key", damaged)).rejects.toMatchObject({ code: expect.stringMatching(/^E_KEY_FILE_/) });
      expect(readdirSync(dataDir).toSorted()).toEqual(Object.keys(files).toSorted());
    }
  }, 60_000);
});
