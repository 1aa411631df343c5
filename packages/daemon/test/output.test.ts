import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  CommandError,
  ConfigError,
  createLineBudget,
  DataDirError,
  EXIT,
  exitCodeHelp,
  exitCodeOf,
  peerText,
  reportError,
} from "../src/index.ts";
import { createLog } from "../src/log.ts";
import { moduleArgs } from "./support.ts";

describe("peerText", () => {
  test.each([
    ["plain text, ünïcode 雀", "plain text, ünïcode 雀"],
    ["a\u001b[31mb", "a\\u{1b}[31mb"],
    ['line\r\n{"level":"fatal"}', 'line\\u{d}\\u{a}{"level":"fatal"}'],
    ["\u0000\u007f\u009b\u2028\u2029", "\\u{0}\\u{7f}\\u{9b}\\u{2028}\\u{2029}"],
    ["abc\u202ecba\u2066\u200b\ufeff", "abc\\u{202e}cba\\u{2066}\\u{200b}\\u{feff}"],
    ["\ud800x", "\\u{d800}x"],
  ])("%j", (text, safe) => {
    expect(peerText(text)).toBe(safe);
  });

  test("whatever comes, at most 256 characters that are plainly visible", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const safe = peerText(text);
        expect(safe.length).toBeLessThanOrEqual(256);
        expect(safe).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
    expect(peerText("x".repeat(256))).toBe("x".repeat(256));
    expect(peerText("x".repeat(257))).toBe(`${"x".repeat(255)}…`);
    expect(peerText("😀".repeat(200))).not.toMatch(/\p{Cs}/u);
  });
});

describe("log", () => {
  test("JSON lines, without what is secret", () => {
    const lines: string[] = [];
    const log = createLog({ level: "info", name: "it", destination: { write: (line) => lines.push(line) } });
    log.debug("not this");
    log.info({ seed: "5eed", key: { privateKey: "5eed", id: "1d" }, peer: "p" }, "hello");
    expect(lines).toHaveLength(1);
    const entry: unknown = JSON.parse(lines[0] ?? "");
    expect(entry).toMatchObject({ level: "info", name: "it", msg: "hello", peer: "p", key: { id: "1d" } });
    expect(entry).toHaveProperty("time", expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
    expect(lines[0]).not.toContain("5eed");
  });

  test("a budget of lines a second; what was suppressed is told with the next", () => {
    const budget = createLineBudget(2);
    expect([0, 1, 2, 999].map((nowMs) => budget(nowMs).allowed)).toEqual([true, true, false, false]);
    expect(budget(1000)).toEqual({ allowed: true, suppressed: 2 });
    expect(budget(1001)).toEqual({ allowed: true, suppressed: 0 });
    expect(budget(1002).allowed).toBe(false);
  });
});

describe("a log whose output takes no more", () => {
  const LOG = new URL("../src/log.ts", import.meta.url).href;
  const onLinux = process.platform === "linux" ? test : test.skip;
  const folder = mkdtempSync(join(tmpdir(), "starling-log-"));
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** A process that logs; `log` in its code is the log, to what is given as its standard output. */
  function logger(code: string, stdout: number | "pipe"): ChildProcess {
    const start = `import { createLog } from ${JSON.stringify(LOG)};
      import { spawnSync } from "node:child_process";
      const log = createLog({ level: "info", name: "it" });
      ${code}`;
    const child = spawn(process.execPath, moduleArgs(start), { stdio: ["ignore", stdout, "pipe"] });
    children.push(child);
    return child;
  }

  /** Its exit code and what it said on standard error. */
  async function endOf(child: ChildProcess): Promise<unknown[]> {
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));
    const [code] = await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
    return [code, stderr];
  }

  onLinux(
    "a full disk costs lines, not the program",
    async () => {
      const fd = openSync("/dev/full", "w");
      const ended = endOf(
        logger('for (let i = 0; i < 5; i += 1) log.info("x"); setImmediate(() => log.fatal("y"));', fd),
      );
      expect(await ended).toEqual([0, ""]);
      closeSync(fd);
    },
    30_000,
  );

  onLinux(
    "once there is room again it says how many are missing, and half a line spoils no other",
    async () => {
      const path = join(folder, "log");
      const fd = openSync(path, "a");
      // A limit on the size of files refuses what a disk without room does.
      const limit = (bytes: string) =>
        `spawnSync("prlimit", ["--pid", String(process.pid), "--fsize=${bytes}:unlimited"]);`;
      const child = logger(
        `process.on("SIGXFSZ", () => {});
      log.info("first");
      ${limit("150")}
      for (let i = 0; i < 4; i += 1) log.info("lost");
      ${limit("unlimited")}
      log.info("last");`,
        fd,
      );
      expect(await endOf(child)).toEqual([0, ""]);
      closeSync(fd);
      const [first, torn, ...rest] = readFileSync(path, "utf8").trimEnd().split("\n");
      expect(JSON.parse(first ?? "")).toMatchObject({ msg: "first" });
      expect(() => JSON.parse(torn ?? "")).toThrow();
      expect(rest.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ level: "warn", name: "it", lost: 4 }),
        expect.objectContaining({ msg: "last" }),
      ]);
    },
    30_000,
  );

  const MANY = `process.stdout; for (let i = 0; i < 20_000; i += 1) log.info({ i }, "${"x".repeat(100)}");`;

  test("a reader that is slow gets every line", async () => {
    const child = logger(MANY, "pipe");
    const ended = endOf(child);
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (part) => (text += part));
    const closed = once(child, "close", { signal: AbortSignal.timeout(20_000) });
    expect(await ended).toEqual([0, ""]);
    await closed;
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  }, 30_000);

  test("a reader that stands still is waited for once", async () => {
    const child = logger(MANY, "pipe");
    expect(await endOf(child)).toEqual([0, ""]);
    child.stdout?.destroy();
  }, 30_000);
});

describe("exit codes", () => {
  const coded = (code: string): Error => Object.assign(new Error("m"), { code });

  test.each([
    [new ConfigError("m", { source: "flag" }), EXIT.usage],
    [new DataDirError("E_DATA_DIR_IN_USE", "m"), EXIT.unavailable],
    [new DataDirError("E_DATA_DIR_PERMISSIONS", "m"), EXIT.unsafe],
    [coded("E_PORT_TAKEN"), EXIT.unavailable],
    [coded("E_KEY_FILE_DAMAGED"), EXIT.unsafe],
    [coded("E_SOCKET"), EXIT.unavailable],
    [coded("E_SOMETHING"), EXIT.failure],
    [coded("ENOENT"), EXIT.failure],
    [new CommandError("E_PORT_TAKEN", "m", 42), 42],
    [new Error("m"), EXIT.failure],
    ["text", EXIT.failure],
  ])("of %s", (error, exitCode) => {
    expect(exitCodeOf(error)).toBe(exitCode);
  });

  test("an expected error is one line, a fault of the program keeps its stack", () => {
    const written: string[] = [];
    const report = (error: unknown): number => reportError("it", error, (text) => written.push(text));
    expect(report(new ConfigError("two\n  lines", { source: "file" }))).toBe(EXIT.usage);
    expect(written).toEqual(["it: two lines\n"]);
    report(new TypeError("oops"));
    expect(written[1]).toMatch(/^it: internal error, please report it: TypeError: oops\n\s+at /);
  });

  test("help lists the codes that are asked for", () => {
    expect(exitCodeHelp().split("\n")).toHaveLength(1 + Object.keys(EXIT).length);
    expect(exitCodeHelp([EXIT.usage])).toBe("Exit codes:\n  2  wrong usage or configuration");
  });
});
