import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "@jest/globals";
import { createMint, MAX_EFFORT, MintError, verifyStamp } from "../src/index.ts";
import { startNodeThread } from "../src/node-thread.ts";
import { createMintPool, type MintPool, type MintPoolOptions } from "../src/pool.ts";
import { ThreadRunner } from "../src/thread-runner.ts";

const digest = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const startNonce = Uint8Array.from([0, 0, 0, 7, 255, 255, 255, 0]);
const never = { digest, effort: MAX_EFFORT, startNonce };

const pools: MintPool[] = [];
function openPool(options: MintPoolOptions): MintPool {
  const pool = createMintPool(options);
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof MintError ? error.code : error),
  );

describe("a mint pool", () => {
  test("one worker finds what the plain mint finds, after as many hashes", async () => {
    const task = { digest, effort: 40_000, startNonce };
    const plain = createMint(task);
    const nonce = plain.run(2 ** 21);
    const minted = await openPool({ workers: 1 }).mint(task);
    expect(minted).toEqual({ effort: 40_000, nonce, hashes: plain.hashes });
  });

  test("two workers mint many jobs, each valid", async () => {
    const pool = openPool({ workers: 2 });
    const jobs = Array.from({ length: 24 }, (_, index) => ({
      digest: digest.map((byte) => byte ^ index),
      effort: 3000 + 500 * index,
      startNonce,
    }));
    const minted = await Promise.all(jobs.map((job) => pool.mint(job)));
    for (const [index, { nonce }] of minted.entries()) {
      const job = jobs[index];
      expect(job && verifyStamp({ ...job, nonce, floor: job.effort })).toBe("valid");
    }
  });

  test("the caller's bytes are its own again at once", async () => {
    const task = { digest: Buffer.from(digest), effort: 1000, startNonce: Buffer.from(startNonce) };
    const minting = openPool({ workers: 1 }).mint(task);
    task.digest.fill(0);
    task.startNonce.fill(0);
    expect((await minting).nonce).toEqual(createMint({ ...task, digest, startNonce }).run(2 ** 20));
  });

  test("a small job does not wait for a great one", async () => {
    const pool = openPool({ workers: 1 });
    const order: string[] = [];
    const great = pool.mint(never).catch(() => order.push("great"));
    await pool.mint({ digest, effort: 2000, startNonce }).then(() => order.push("small"));
    await pool.close();
    await great;
    expect(order).toEqual(["small", "great"]);
  });

  test("an abort rejects at once and frees the workers", async () => {
    const pool = openPool({ workers: 1 });
    const controller = new AbortController();
    const first = codeOf(
      pool.mint({ ...never, signal: controller.signal, onProgress: () => controller.abort("enough") }),
    );
    expect(await first).toBe("E_MINT_ABORTED");
    await expect(pool.mint({ ...never, signal: controller.signal })).rejects.toMatchObject({ cause: "enough" });
    await pool.mint({ digest, effort: 100, startNonce });
  });

  test("a deadline rejects", async () => {
    const pool = openPool({ workers: 1 });
    expect(await codeOf(pool.mint({ ...never, deadlineMs: 5 }))).toBe("E_MINT_DEADLINE");
    expect(await codeOf(pool.mint({ ...never, deadlineMs: 0 }))).toBe("E_MINT_DEADLINE");
    expect(await codeOf(pool.mint({ ...never, deadlineMs: -1 }))).toBe("E_MINT_DEADLINE");
  });

  test("progress counts up, with the mean beside it", async () => {
    const pool = openPool({ workers: 1 });
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const onProgress = (progress: { hashes: number; expectedHashes: number }): void => {
        expect(progress.expectedHashes).toBe(MAX_EFFORT);
        if (seen.push(progress.hashes) === 4) resolve();
      };
      void codeOf(pool.mint({ ...never, onProgress }));
    });
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  });

  test("close rejects what waits and what comes later, and may be called twice", async () => {
    const pool = openPool({ workers: 1 });
    const waiting = codeOf(pool.mint(never));
    await Promise.all([pool.close(), pool.close()]);
    expect(await waiting).toBe("E_MINT_CLOSED");
    expect(await codeOf(pool.mint(never))).toBe("E_MINT_CLOSED");
  });

  test("refuses more jobs than it may hold", async () => {
    const pool = openPool({ workers: 1, maxJobs: 2 });
    const held = [codeOf(pool.mint(never)), codeOf(pool.mint(never))];
    expect(await codeOf(pool.mint(never))).toBe("E_MINT_BUSY");
    await pool.close();
    expect(await Promise.all(held)).toEqual(["E_MINT_CLOSED", "E_MINT_CLOSED"]);
  });

  test("without a start nonce, two mints of one digest begin at different nonces", async () => {
    const pool = openPool({ workers: 1 });
    const [first, second] = await Promise.all([1, 2].map(() => pool.mint({ digest, effort: 1 })));
    expect(first?.nonce).not.toEqual(second?.nonce);
    expect(first && verifyStamp({ digest, ...first, floor: 1 })).toBe("valid");
  });

  const anything = (value: unknown) => value as never;
  test.each<[string, unknown]>([
    ["request", undefined],
    ["request", null],
    ["request", "65536"],
    ["digest", { ...never, digest: new Uint8Array(20) }],
    ["digest", { ...never, digest: Array.from(digest) }],
    ["digest", { ...never, digest: Object.create(Uint8Array.prototype) }],
    ["digest", { ...never, digest: new Uint16Array(32) }],
    ["effort", { ...never, effort: 0.5 }],
    ["effort", { ...never, effort: "7" }],
    ["effort", { ...never, effort: 7n }],
    ["effort", { ...never, effort: Symbol("7") }],
    ["startNonce", { ...never, startNonce: new Uint8Array(7) }],
    ["startNonce", { ...never, startNonce: null }],
    ["signal", { ...never, signal: {} }],
    ["signal", { ...never, signal: null }],
    ["deadlineMs", { ...never, deadlineMs: Number.NaN }],
    ["deadlineMs", { ...never, deadlineMs: "5" }],
    ["onProgress", { ...never, onProgress: 1 }],
  ])("misuse of %s rejects by its name (%#)", async (argument, request) => {
    const error = await openPool({ workers: 1 })
      .mint(anything(request))
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(MintError);
    expect(error).toMatchObject({ code: "E_MINT_INPUT", argument, message: expect.stringContaining(argument) });
  });

  test.each<[string, unknown]>([
    ["options", null],
    ["options", 2],
    ["workers", { workers: 0 }],
    ["workers", { workers: "2" }],
    ["maxJobs", { maxJobs: 1.5 }],
    ["workerUrl", { workerUrl: 5 }],
  ])("misuse of the option %s throws by its name (%#)", (argument, options) => {
    const open = () => createMintPool(anything(options));
    expect(open).toThrow(MintError);
    expect(open).toThrow(expect.objectContaining({ code: "E_MINT_INPUT", argument }));
  });
});

describe("workers that die", () => {
  test("under their first chunk: its nonces are minted by the next worker, none passed over", async () => {
    const pool = openPool({ workers: 1, workerUrl: new URL("./child/dies-once.ts", import.meta.url) });
    const task = { digest, effort: 40_000, startNonce };
    const plain = createMint(task);
    const nonce = plain.run(2 ** 21);
    expect(await pool.mint(task)).toEqual({ effort: 40_000, nonce, hashes: plain.hashes });
  });

  test("every time: the job is given up with the reason, and so is the next", async () => {
    const workerUrl = new URL(`data:text/javascript,${encodeURIComponent('throw new Error("worker is broken")')}`);
    const pool = openPool({ workers: 2, workerUrl });
    for (let job = 0; job < 2; job += 1) {
      const cause = expect.objectContaining({ message: "worker is broken" });
      await expect(pool.mint(never)).rejects.toMatchObject({ code: "E_MINT_WORKER", cause });
    }
  });

  test("before they could start: as if they had died", async () => {
    const pool = openPool({ workers: 1, workerUrl: new URL("https://localhost/worker.js") });
    await expect(pool.mint(never)).rejects.toMatchObject({
      code: "E_MINT_WORKER",
      cause: { code: "ERR_INVALID_URL_SCHEME" },
    });
  });
});

describe("a process with a pool", () => {
  // Jest's own process would stay alive anyway, so this needs another one; --input-type is a flag no worker can start with.
  const run = promisify(execFile);
  const from = (path: string) => JSON.stringify(new URL(path, import.meta.url));
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e"];

  test("lives while a job is pending and ends when the pool idles, unclosed", async () => {
    const script = `import { createMintPool } from ${from("../src/pool.ts")};
      const task = { digest: new Uint8Array(32), effort: 20_000, startNonce: new Uint8Array(8) };
      createMintPool({ workers: 2 }).mint(task).then(({ nonce }) => console.log(nonce.length));`;
    expect((await run(process.execPath, [...flags, script], { timeout: 20_000 })).stdout).toBe("8\n");
  });
});

describe("a worker thread", () => {
  test("tells which chunks died with it, and why", async () => {
    const entry = new URL(`data:text/javascript,${encodeURIComponent('throw new Error("worker is broken")')}`);
    const [chunkIds, cause] = await new Promise<[readonly number[], unknown]>((resolve) => {
      const events = { onReport: () => undefined, onCrash: (...crash: [readonly number[], unknown]) => resolve(crash) };
      const thread = new ThreadRunner(events, (own) => startNodeThread(own, entry));
      for (const chunkId of [7, 8]) thread.post({ chunkId, jobId: 1, task: never, maxHashes: 1 });
      expect(thread.chunksOut).toBe(2);
    });
    expect(chunkIds).toEqual([7, 8]);
    expect(String(cause)).toContain("worker is broken");
  });
});
