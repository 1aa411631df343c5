// A disk without room, for whole daemons: a limit on the size of files (`ulimit -f`, `prlimit`), beyond which writes fail as they do there.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "@jest/globals";
import { connect } from "@starling/local-client";
import { DaemonChild, run } from "@starling/test-processes";
import { createNode } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-full-"));
const children: DaemonChild[] = [];
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
// Elsewhere a process that lets a file grow beyond its limit may be ended instead of told.
const onLinux = process.platform === "linux" ? test : test.skip;

/** Runs `starling start` where no file may grow at all; it is expected to end. */
function startWithoutRoom(dataDir: string): { readonly status: number | null; readonly stderr: string } {
  const args = ["start", "--data-dir", dataDir, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const command = ["-c", 'ulimit -f 0; exec "$0" "$@"', process.execPath, ...FLAGS, MAIN, ...args];
  return spawnSync("sh", command, { encoding: "utf8", timeout: 60_000 });
}

function start(dataDir: string): DaemonChild {
  const args = [
    "start",
    "--data-dir",
    dataDir,
    "--listen",
    "127.0.0.1:0",
    "--network",
    "test",
    "--http",
    "127.0.0.1:0",
  ];
  const child = new DaemonChild("node", args);
  children.push(child);
  return child;
}

describe("a start that finds no room", () => {
  onLinux(
    "says which file could not be written, leaves none half written, and the next one finds everything in order",
    async () => {
      const dataDir = join(folder, "start");
      const expectRefused = (file: string, code: number): void => {
        const { status, stderr } = startWithoutRoom(dataDir);
        expect({ status, stderr }).toMatchObject({
          status: code,
          stderr: expect.stringContaining(join(dataDir, file)),
        });
        expect(stderr.trim().split("\n")).toHaveLength(1);
      };
      expectRefused("node.key", 4);
      expect(existsSync(join(dataDir, "node.key"))).toBe(false);
      const { stdout: id } = await run("node", ["id", "--data-dir", dataDir]);
      expectRefused("inbox.journal", 3);
      const whole = start(dataDir);
      expect((await whole.ready()).id).toBe(id.trim());
      expect(await whole.stop()).toMatchObject({ code: 0 });
      rmSync(join(dataDir, "http-token"));
      expectRefused("http-token", 3);
      const again = start(dataDir);
      expect((await again.ready()).id).toBe(id.trim());
      expect(readFileSync(join(dataDir, "http-token"), "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
      expect(await again.stop()).toMatchObject({ code: 0 });
    },
    120_000,
  );
});

describe("a disk that fills up under a running daemon", () => {
  const limit = (pid: number, bytes: string): boolean =>
    spawnSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]).status === 0;
  const hasPrlimit = process.platform === "linux" && limit(process.pid, "unlimited");
  (hasPrlimit ? test : test.skip)(
    "costs receipts and no message: what has one is there, what has none comes once or not at all",
    async () => {
      const child = start(join(folder, "running"));
      const { id, listen, socket } = await child.ready();
      const author = await createNode({ listen: "127.0.0.1:0", network: "test", bootstrap: [`${id}@${listen}`] });
      await author.client.connectPeer(id, listen);
      const submit = (text: string, timeoutMs = 20_000) =>
        author.client.submit({ to: id, content: new TextEncoder().encode(text), timeoutMs });
      const pid = child.process.pid ?? 0;
      await submit("before");
      expect(limit(pid, "0")).toBe(true);
      await expect(submit("without room", 1500)).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
      const program = await connect(socket);
      // It still answers, and keeps what it has.
      expect(await program.status()).toMatchObject({ id, waiting: 1 });
      expect(limit(pid, "unlimited")).toBe(true);
      await submit("room again");
      program.close();
      await child.stop("SIGKILL");
      const again = start(join(folder, "running"));
      const after = await connect((await again.ready()).socket);
      const messages = await after.subscribe({ events: ["message"] });
      const texts: string[] = [];
      for await (const { content } of messages) {
        texts.push(new TextDecoder().decode(content));
        if (texts.includes("room again")) break;
      }
      expect(texts).toEqual(["before", "room again"]);
      after.close();
      await author.close();
      await again.stop();
    },
    120_000,
  );
});
