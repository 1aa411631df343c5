import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { DataDirError, type DataDirErrorCode, dataDirPaths, defaultDataDir, openDataDir } from "../src/index.ts";
import { moduleArgs, runModule } from "./support.ts";

const isPosix = process.platform !== "win32";
// Windows has neither these signals nor modes of files, and only root can become somebody else.
const onPosix = isPosix ? test : test.skip;
const asRoot = isPosix && process.getuid?.() === 0 ? test : test.skip;

let root: string;
let directory: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "starling-dir-"));
});
beforeEach(() => {
  directory = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function refusal(path: string, code: DataDirErrorCode): Promise<DataDirError> {
  const error = await openDataDir(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DataDirError)) throw new Error(`expected ${code}, got ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toContain(path);
  return error;
}

/** A process that holds the directory until its standard input ends; it says `held`, or the code of the error. */
const HOLD = (path: string): string => `
  try {
    const dataDir = await daemon.openDataDir(${JSON.stringify(path)});
    console.log("held");
    process.stdin.resume().on("end", () => dataDir.release());
  } catch (error) {
    console.log(error.code);
  }`;

describe("the directory", () => {
  test("is made, private, and gives its paths", async () => {
    const path = join(directory, "deep", "er");
    const dataDir = await openDataDir(path);
    expect(dataDir.directory).toBe(path);
    expect(dataDir.keyPath).toBe(join(path, "node.key"));
    expect(dataDir.path("inbox")).toBe(join(path, "inbox"));
    expect(dataDirPaths(path)).toMatchObject({ keyPath: dataDir.keyPath, socketPath: dataDir.socketPath });
    if (isPosix) {
      expect(dataDir.socketPath).toBe(join(path, "starling.sock"));
      expect((await stat(path)).mode & 0o777).toBe(0o700);
      expect((await stat(join(path, "lock"))).mode & 0o077).toBe(0);
    }
    await dataDir.release();
    await dataDir.release();
    expect(await readdir(path)).toEqual([]);
  });

  test("lies where XDG says", () => {
    expect(defaultDataDir("it", { XDG_STATE_HOME: "/state" })).toBe(join("/state", "it"));
    for (const XDG_STATE_HOME of [undefined, "", "relative"]) {
      expect(defaultDataDir("it", { XDG_STATE_HOME })).toBe(join(homedir(), ".local", "state", "it"));
    }
  });

  onPosix.each([0o770, 0o707, 0o777])("is refused where others may write (%o)", async (mode) => {
    await mkdir(directory);
    await chmod(directory, mode);
    expect((await refusal(directory, "E_DATA_DIR_PERMISSIONS")).message).toContain(`chmod 700 ${directory}`);
    await chmod(directory, 0o755);
    await (await openDataDir(directory)).release();
  });

  asRoot("of somebody else is refused", async () => {
    await mkdir(directory);
    await chown(directory, 65_534, 65_534);
    await refusal(directory, "E_DATA_DIR_FOREIGN");
  });

  test("is refused where it is a file, or below one", async () => {
    await writeFile(directory, "");
    await refusal(directory, "E_DATA_DIR_UNUSABLE");
    await refusal(join(directory, "below"), "E_DATA_DIR_UNUSABLE");
  });

  onPosix("with a path too long for a socket is refused, and may be named by a link", async () => {
    const long = join(directory, "x".repeat(100));
    await refusal(long, "E_DATA_DIR_PATH_TOO_LONG");
    await mkdir(long, { recursive: true, mode: 0o700 });
    const short = join(root, "short");
    await symlink(long, short);
    await (await openDataDir(short)).release();
  });
});

describe("the lock", () => {
  test("is held once in a process, and free again after release", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => openDataDir(directory)));
    const held = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    expect(held).toHaveLength(1);
    const error = await refusal(directory, "E_DATA_DIR_IN_USE");
    expect(error.message).toContain(`in use by process ${process.pid}; stop that one`);
    await held[0]?.release();
    await (await openDataDir(directory)).release();
  });

  test("is held against another process, which is named, until that ends", async () => {
    const holder = runModule(HOLD(directory));
    expect(await holder.line()).toBe("held");
    expect((await refusal(directory, "E_DATA_DIR_IN_USE")).message).toContain(`process ${holder.process.pid};`);
    holder.process.stdin?.end();
    expect(await holder.ended).toBe(0);
    await (await openDataDir(directory)).release();
  });

  test("of a process that was killed is taken over, by one of many", async () => {
    const killed = runModule(HOLD(directory));
    expect(await killed.line()).toBe("held");
    killed.process.kill("SIGKILL");
    await killed.ended;
    if (isPosix) expect(await readdir(directory)).toEqual(["lock"]);
    const contenders = Array.from({ length: 5 }, () => runModule(HOLD(directory)));
    const said = await Promise.all(contenders.map((contender) => contender.line()));
    expect(said.sort()).toEqual([...Array.from({ length: 4 }, () => "E_DATA_DIR_IN_USE"), "held"]);
    for (const contender of contenders) contender.process.stdin?.end();
    await Promise.all(contenders.map(({ ended }) => ended));
    expect(await readdir(directory)).toEqual([]);
  });

  onPosix("never removes a file that only has its name", async () => {
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, "lock"), "mine");
    await refusal(directory, "E_DATA_DIR_UNUSABLE");
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  onPosix("a holder outlives whoever connects and goes", async () => {
    const dataDir = await openDataDir(directory);
    await Promise.all(
      Array.from({ length: 20 }, () => {
        const socket = connect(join(directory, "lock"));
        socket.on("connect", () => socket.destroy());
        return new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => {}));
      }),
    );
    await refusal(directory, "E_DATA_DIR_IN_USE");
    await dataDir.release();
  });
});

describe("whenStopped", () => {
  const STOPPABLE = `
    const stopped = daemon.whenStopped();
    const alive = setInterval(() => {}, 60_000);
    console.log("up " + process.pid);
    console.log(await stopped);
    clearInterval(alive);`;

  onPosix.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("hears %s", async (signal) => {
    const child = runModule(STOPPABLE);
    expect(await child.line()).toMatch(/^up /);
    child.process.kill(signal);
    expect(await child.line()).toBe(signal);
    expect(await child.ended).toBe(0);
  });

  test("hears that the parent was killed", async () => {
    // The grandchild writes to the same pipe as its parent, so the pipe ends with the last of the two.
    const parent = runModule(`
      import { spawn } from "node:child_process";
      const stdio = ["ignore", "inherit", "inherit", "ipc"];
      spawn(process.execPath, ${JSON.stringify(moduleArgs(STOPPABLE))}, { stdio });`);
    expect(await parent.line()).toMatch(/^up /);
    parent.process.kill("SIGKILL");
    expect(await parent.line()).toBe("parent-gone");
    expect(await parent.line()).toBeUndefined();
    expect(await parent.ended).toBe("SIGKILL");
  });

  test("keeps nobody alive, with a channel to a living parent or without", async () => {
    for (const stdio of ["pipe", "ipc"] as const) {
      const child = runModule('void daemon.whenStopped(); console.log("done");', stdio);
      child.process.stdin?.end();
      expect(await child.line()).toBe("done");
      expect(await child.ended).toBe(0);
    }
  });
});
