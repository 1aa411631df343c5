import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createMint, MAX_EFFORT, MintError, verifyStamp } from "../src/index.ts";
import { type Chunk, JobQueue } from "../src/job-queue.ts";
import { type ChunkRunner, createPoolOf, type RunnerEvents } from "../src/mint-pool.ts";
import { createMintPool, type MintPool, type MintPoolOptions } from "../src/pool.ts";
import { WorkerThread } from "../src/worker-thread.ts";

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
    expect(await openPool({ workers: 1 }).mint(task)).toEqual({ nonce, hashes: plain.hashes });
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
    expect(await codeOf(pool.mint({ ...never, deadlineMs: Number.NaN }))).toBe("E_MINT_DEADLINE");
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

  test("misuse is E_MINT_INPUT", async () => {
    const pool = openPool({ workers: 1 });
    expect(await codeOf(pool.mint({ ...never, effort: 0.5 }))).toBe("E_MINT_INPUT");
    expect(await codeOf(pool.mint({ ...never, digest: new Uint8Array(20) }))).toBe("E_MINT_INPUT");
    expect(() => createMintPool({ workers: 0 })).toThrow(MintError);
    expect(() => createMintPool({ maxJobs: 1.5 })).toThrow(MintError);
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
      const thread = new WorkerThread(events, entry);
      for (const chunkId of [7, 8]) thread.post({ chunkId, jobId: 1, task: never, maxHashes: 1 });
      expect(thread.chunksOut).toBe(2);
    });
    expect(chunkIds).toEqual([7, 8]);
    expect(String(cause)).toContain("worker is broken");
  });
});

/** A runner on the test's own thread: it mints, or dies, when it is told to. */
class SteppedRunner implements ChunkRunner {
  readonly chunks: Chunk[] = [];
  readonly chunkHashes = 100_000;
  readonly #events: RunnerEvents;
  keepsAlive = false;

  constructor(events: RunnerEvents) {
    this.#events = events;
  }

  get chunksOut(): number {
    return this.chunks.length;
  }

  keepProcessAlive(keep: boolean): void {
    this.keepsAlive = keep;
  }

  post(chunk: Chunk): void {
    this.chunks.push(chunk);
  }

  async stop(): Promise<void> {
    this.chunks.length = 0;
  }

  mintOne(): void {
    const chunk = this.chunks.shift();
    if (chunk === undefined) throw new Error("there is no chunk");
    const mint = createMint(chunk.task);
    const nonce = mint.run(chunk.maxHashes);
    this.#events.onReport({ chunkId: chunk.chunkId, hashes: mint.hashes, elapsedMs: 1, nonce });
  }

  crash(): void {
    const lost = this.chunks.splice(0).map(({ chunkId }) => chunkId);
    this.#events.onCrash(lost, "out of memory");
  }
}

function steppedPool(workers: number): { pool: MintPool; runners: SteppedRunner[] } {
  const runners: SteppedRunner[] = [];
  const start = (events: RunnerEvents): SteppedRunner => {
    const runner = new SteppedRunner(events);
    runners.push(runner);
    return runner;
  };
  const pool = createPoolOf(start, workers, 10);
  pools.push(pool);
  return { pool, runners };
}

describe("a pool over runners", () => {
  test("gives the nonces of a dead worker out again: none is passed over", async () => {
    const { pool, runners } = steppedPool(1);
    const task = { digest, effort: 40_000, startNonce };
    const expected = createMint(task).run(2 ** 21);
    const minting = pool.mint(task);
    runners[0]?.crash();
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    expect((await minting).nonce).toEqual(expected);
  });

  test("gives up a job under which workers die, and goes on with others", async () => {
    const { pool, runners } = steppedPool(1);
    const doomed = pool.mint(never);
    for (let deaths = 0; deaths < 3 && runners[0]?.keepsAlive; deaths += 1) runners[0].crash();
    await expect(doomed).rejects.toMatchObject({ code: "E_MINT_WORKER", cause: "out of memory" });
    const minting = pool.mint({ digest, effort: 50, startNonce });
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    expect((await minting).nonce).toHaveLength(8);
  });

  test("uses every worker for one great job, and two chunks on each", () => {
    const { pool, runners } = steppedPool(3);
    void codeOf(pool.mint(never));
    expect(runners.map(({ chunksOut }) => chunksOut)).toEqual([2, 2, 2]);
  });

  test("gives a small job to one worker: a second would mostly work in vain", () => {
    const { pool, runners } = steppedPool(3);
    void codeOf(pool.mint({ ...never, effort: 20_000 }));
    expect(runners.map(({ chunksOut }) => chunksOut)).toEqual([1, 0, 0]);
  });

  test("serves jobs in turn, whatever their size", () => {
    const { pool, runners } = steppedPool(1);
    for (const effort of [2 ** 40, 2 ** 41, 2 ** 42]) void codeOf(pool.mint({ ...never, effort }));
    const served: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      served.push(runners[0]?.chunks[0]?.task.effort ?? 0);
      runners[0]?.mintOne();
    }
    // The first job was alone when it got both chunks of an idle worker, and at the head when the others came.
    expect(served.map(Math.log2)).toEqual([40, 40, 40, 41, 42, 40, 41, 42, 40]);
  });

  test("lets the process end when the last job is aborted, though its chunk is still out", async () => {
    const { pool, runners } = steppedPool(1);
    const controller = new AbortController();
    const code = codeOf(pool.mint({ ...never, signal: controller.signal }));
    expect(runners[0]?.keepsAlive).toBe(true);
    controller.abort();
    expect([await code, runners[0]?.keepsAlive, runners[0]?.chunksOut]).toEqual(["E_MINT_ABORTED", false, 2]);
    // A late report of a job that is no more is nothing.
    runners[0]?.mintOne();
    expect(runners[0]?.chunksOut).toBe(1);
  });
});

describe("the job queue", () => {
  test("hands out every nonce of a job once, in whatever order chunks settle or are lost", () => {
    const steps = fc.array(fc.record({ lose: fc.boolean(), pick: fc.nat(), size: fc.integer({ min: 1, max: 5000 }) }));
    fc.assert(
      fc.property(steps, (sequence) => {
        const queue = new JobQueue();
        queue.add({ ...never, startNonce: new Uint8Array(8) });
        const out: Chunk[] = [];
        const done: [bigint, number][] = [];
        const settle = (chunk: Chunk): void => {
          queue.settle(chunk.chunkId, chunk.maxHashes, undefined);
          done.push([Buffer.from(chunk.task.startNonce).readBigUInt64BE(), chunk.maxHashes]);
        };
        for (const { lose, pick, size } of sequence) {
          const chunk = queue.take(size);
          if (chunk !== undefined) out.push(chunk);
          if (pick % 3 === 0) continue;
          for (const picked of out.splice(pick % out.length, 1)) {
            if (lose) queue.lose(picked.chunkId);
            else settle(picked);
          }
        }
        // What was lost is given out before anything new.
        for (let chunk = queue.take(1); out.length < 60 && chunk !== undefined; chunk = queue.take(1)) out.push(chunk);
        for (const chunk of out) settle(chunk);
        done.sort(([a], [b]) => Number(a - b));
        const ends = done.map(([start, count]) => start + BigInt(count));
        expect(done.map(([start]) => start)).toEqual([0n, ...ends.slice(0, -1)]);
      }),
    );
  });

  test("nonces go round at 2^64", () => {
    const queue = new JobQueue();
    queue.add({ ...never, startNonce: new Uint8Array(8).fill(255) });
    queue.take(1024);
    expect(queue.take(1024)?.task.startNonce).toEqual(Uint8Array.from([0, 0, 0, 0, 0, 0, 3, 255]));
  });
});
