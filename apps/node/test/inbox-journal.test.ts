import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import type { InboxEntry } from "@starling/node-core";
import { InboxJournal } from "../src/inbox/inbox-journal.ts";
import { encodeRecord } from "../src/inbox/record.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WALL = 1_800_000_000_000;
const from = identityFromSeed(new Uint8Array(32).fill(1)).id;
let path: string;
let count = 0;
beforeEach(() => {
  path = join(folder, `${count++}.journal`);
});

const open = (file = path, compactMinBytes?: number) =>
  InboxJournal.open({ path: file, wallMs: () => WALL, ...(compactMinBytes === undefined ? {} : { compactMinBytes }) });

function entry(i: number, changes: Partial<InboxEntry> = {}): InboxEntry {
  return {
    key: `${from}:${i}`,
    kind: "message",
    from,
    messageId: `${i}`,
    topic: "ü\n",
    content: Uint8Array.from([0, 10, 13, 255, i]),
    path: "relayed",
    receivedAtMs: WALL,
    expiresMs: WALL + 1000,
    stream: "00",
    seq: i,
    lowestUnsettledSeq: 0,
    ...changes,
  };
}

describe("inbox journal", () => {
  test("what was put and not handed out comes back as it was, and every key", async () => {
    const { journal } = await open();
    await Promise.all([journal.put([entry(0), entry(1)]), journal.put([entry(2)])]);
    journal.note({ out: [entry(1).key] });
    await journal.close();
    const again = await open();
    expect(again.waiting).toEqual([entry(0), entry(2)]);
    expect(again.delivered.map(({ key }) => key).toSorted()).toEqual([0, 1, 2].map((i) => entry(i).key));
    expect(again.damagedCount).toBe(0);
    await again.journal.close();
  });

  test("an entry stands in the file as soon as it was put, and once, however often it is put", async () => {
    const { journal } = await open();
    const synced = journal.put([entry(0)]);
    const { length } = readFileSync(path);
    expect(readFileSync(path, "utf8")).toContain(entry(0).key);
    await synced;
    await journal.put([entry(0)]);
    expect(readFileSync(path).length).toBe(length);
    // Handed out meanwhile: putting it again does not bring it back.
    journal.note({ out: [entry(0).key] });
    await journal.put([entry(0)]);
    await journal.close();
    const again = await open();
    expect(again.waiting).toEqual([]);
    await again.journal.close();
  });

  test("cut at any offset, what was whole before the cut is still there, and it can be written on", async () => {
    const { journal } = await open();
    for (let i = 0; i < 3; i += 1) await journal.put([entry(i)]);
    await journal.close();
    const whole = readFileSync(path);
    const cutAt = async (size: number): Promise<void> => {
      const cut = join(folder, `cut-${size}.journal`);
      writeFileSync(cut, whole.subarray(0, size));
      const lines = whole.subarray(0, size).toString("latin1").split("\n").length - 1;
      const opened = await open(cut);
      expect(opened.waiting).toEqual([entry(0), entry(1), entry(2)].slice(0, Math.max(0, lines - 1)));
      await opened.journal.put([entry(9)]);
      await opened.journal.close();
      const after = await open(cut);
      expect(after.waiting.at(-1)).toEqual(entry(9));
      expect(after.damagedCount).toBe(0);
      await after.journal.close();
    };
    await Promise.all(Array.from({ length: whole.length }, (_, size) => cutAt(size)));
  }, 30_000);

  test("a flipped byte costs the line that it is in, and no other", async () => {
    const { journal } = await open();
    for (let i = 0; i < 3; i += 1) await journal.put([entry(i)]);
    await journal.close();
    const whole = readFileSync(path);
    const flipped = join(folder, "flipped.journal");
    for (let at = 0; at < whole.length; at += 7) {
      copyFileSync(path, flipped);
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0x04;
      writeFileSync(flipped, bytes);
      const opened = await open(flipped);
      expect(opened.waiting.length).toBeGreaterThanOrEqual(1);
      for (const each of opened.waiting) expect([entry(0), entry(1), entry(2)]).toContainEqual(each);
      await opened.journal.close();
    }
  }, 30_000);

  test("grows no further than what it has to keep", async () => {
    const { journal } = await open(path, 4096);
    const content = new Uint8Array(1000);
    for (let i = 0; i < 100; i += 1) {
      await journal.put([entry(i, { content })]);
      journal.note({ out: [entry(i).key] });
    }
    await journal.put([entry(100)]);
    await journal.close();
    expect(readFileSync(path).length).toBeLessThan(40_000);
    const again = await open();
    expect(again.waiting).toEqual([entry(100)]);
    expect(again.delivered).toHaveLength(101);
    await again.journal.close();
  });

  test("what was given and not acknowledged is remembered as such, through a compaction too", async () => {
    const { journal } = await open(path, 1);
    await journal.put([entry(0)]);
    await journal.put([entry(1)]);
    journal.note({ given: [entry(0).key] });
    journal.note({ given: [entry(1).key] });
    journal.note({ out: [entry(1).key] });
    for (let i = 2; i < 20; i += 1) await journal.put([entry(i)]);
    await journal.close();
    const again = await open();
    expect([...again.given]).toEqual([entry(0).key]);
    expect(again.waiting[0]).toEqual(entry(0));
    await again.journal.close();
  });

  test("a file of another version is refused and not touched", async () => {
    const text = encodeRecord({ op: "inbox", version: 2 }) + encodeRecord({ op: "put", ...entry(0) });
    writeFileSync(path, text);
    await expect(open()).rejects.toMatchObject({ code: "E_INBOX_VERSION", message: expect.stringContaining(path) });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("keys that nobody can send again are forgotten", async () => {
    const { journal } = await open();
    await journal.put([entry(0, { expiresMs: WALL - 61_000 })]);
    journal.note({ out: [entry(0).key] });
    await journal.put([entry(1)]);
    await journal.close();
    const again = await open();
    expect(again.delivered.map(({ key }) => key)).toEqual([entry(1).key]);
    await again.journal.close();
  });

  // What is noted while no file may grow, and what is done after there is room again.
  const hasPrlimit = process.platform === "linux" && spawnSync("prlimit", ["--version"]).status === 0;
  (hasPrlimit ? test : test.skip).each([
    ["the end", "await journal.close();", [1, 2]],
    ["the next message", "await journal.put([entry(3)]);", [1, 2, 3]],
    ["the next note", "journal.note({ out: [entry(1).key] }); await replaced();", [2]],
  ])(
    "what a full disk refused to note is written by %s",
    async (_what, after, waiting) => {
      const code = `
        import { spawnSync } from "node:child_process";
        import { statSync } from "node:fs";
        import { InboxJournal } from ${JSON.stringify(new URL("../src/inbox/inbox-journal.ts", import.meta.url).href)};
        const limit = (bytes) => spawnSync("prlimit", ["--pid", String(process.pid), "--fsize=" + bytes + ":unlimited"]);
        const entry = (i) => ({ ...${JSON.stringify({ ...entry(0), content: undefined })}, key: "${from}:" + i, messageId: String(i), content: Uint8Array.of(i) });
        const path = ${JSON.stringify(path)};
        const { journal } = await InboxJournal.open({ path, wallMs: () => ${WALL} });
        const { ino } = statSync(path);
        const replaced = async () => { while (statSync(path).ino === ino) await new Promise(setImmediate); };
        await journal.put([entry(0), entry(1), entry(2)]);
        limit("0");
        let isRefused = false;
        try { journal.note({ out: [entry(0).key] }); } catch { isRefused = true; }
        limit("unlimited");
        ${after}
        console.log(isRefused);
        process.exit();`;
      const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", "--input-type=module"];
      const ended = spawnSync(process.execPath, [...flags, "-e", code], { encoding: "utf8", timeout: 25_000 });
      expect(ended).toMatchObject({ status: 0, stdout: "true\n", stderr: "" });
      const again = await open();
      expect(again.waiting.map(({ messageId }) => Number(messageId))).toEqual(waiting);
      await again.journal.close();
    },
    30_000,
  );

  // Windows has no ulimit.
  const limits = process.platform === "win32" ? test.skip : test;
  limits(
    "on a full disk what is refused spoils nothing that is promised before or after it",
    async () => {
      const program = fileURLToPath(new URL("./support/full-disk.ts", import.meta.url));
      const node = [
        process.execPath,
        "--disable-warning=ExperimentalWarning",
        "--conditions=@starling/source",
        program,
      ];
      // In blocks of 512 or 1024 bytes, as the shell has it.
      const args = ["-c", 'ulimit -f 8 && exec "$@"', "sh", ...node, path];
      // Node's own cache of compiled code would run into the limit as well.
      const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
      const ended = spawnSync("sh", args, { encoding: "utf8", env });
      expect(ended).toMatchObject({ status: 0, signal: null, stderr: "" });
      const { promised, refused } = JSON.parse(ended.stdout);
      expect(refused).toBeGreaterThan(0);
      const again = await open();
      expect(again.damagedCount).toBe(0);
      expect(again.waiting.map(({ key }) => key)).toEqual(promised);
      await again.journal.close();
    },
    30_000,
  );
});
