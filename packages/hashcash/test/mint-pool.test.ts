import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createMint, MAX_EFFORT, MintError } from "../src/index.ts";
import { type Chunk, JobQueue } from "../src/job-queue.ts";
import { type ChunkRunner, createPoolOf, type MintPool, type RunnerEvents } from "../src/mint-pool.ts";

const digest = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const startNonce = Uint8Array.from([0, 0, 0, 7, 255, 255, 255, 0]);
const never = { digest, effort: MAX_EFFORT, startNonce };

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof MintError ? error.code : error),
  );

/** A runner on the test's own thread: it mints, or dies, when it is told to. */
class SteppedRunner implements ChunkRunner {
  readonly chunks: Chunk[] = [];
  readonly chunkHashes = 100_000;
  readonly #events: RunnerEvents;
  keepsAlive = false;
  isStarted = false;

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
    this.isStarted = true;
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
    this.isStarted = false;
    const lost = this.chunks.splice(0).map(({ chunkId }) => chunkId);
    this.#events.onCrash(lost, "out of memory");
  }
}

/** Past the timer with which the pool waits for the event loop's next turn. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function steppedPool(workers: number): { pool: MintPool; runners: SteppedRunner[] } {
  const runners: SteppedRunner[] = [];
  const start = (events: RunnerEvents): SteppedRunner => {
    const runner = new SteppedRunner(events);
    runners.push(runner);
    return runner;
  };
  return { pool: createPoolOf(start, { workers, maxJobs: 10 }), runners };
}

describe("a pool over runners", () => {
  test("gives the nonces of a dead worker out again: none is passed over", async () => {
    const { pool, runners } = steppedPool(1);
    const task = { digest, effort: 40_000, startNonce };
    const expected = createMint(task).run(2 ** 21);
    const minting = pool.mint(task);
    runners[0]?.crash();
    await nextTurn();
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    expect((await minting).nonce).toEqual(expected);
  });

  test("gives up a job under which workers die, and goes on with others", async () => {
    const { pool, runners } = steppedPool(1);
    const doomed = pool.mint(never);
    const failure = expect(doomed).rejects.toMatchObject({ code: "E_MINT_WORKER", cause: "out of memory" });
    for (let deaths = 0; deaths < 3 && runners[0]?.keepsAlive; deaths += 1) {
      runners[0].crash();
      await nextTurn();
    }
    await failure;
    const minting = pool.mint({ digest, effort: 50, startNonce });
    await nextTurn();
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    expect((await minting).nonce).toHaveLength(8);
  });

  test("uses every worker for one great job, and two chunks on each; starts one thread a turn of the event loop", async () => {
    const { pool, runners } = steppedPool(3);
    const out = () => runners.map(({ chunksOut }) => chunksOut);
    void codeOf(pool.mint(never));
    // Whatever else happens within this turn.
    void codeOf(pool.mint(never));
    runners[0]?.mintOne();
    expect(out()).toEqual([2, 0, 0]);
    await nextTurn();
    expect(out()).toEqual([2, 2, 0]);
    await nextTurn();
    expect(out()).toEqual([2, 2, 2]);
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

describe("an abort, a deadline or a close", () => {
  const finite = { digest, effort: 30_000, startNonce };
  type Stage = "queued" | "running" | "lost" | "restarted" | "late report" | "in its own progress";
  const stages: Stage[] = ["queued", "running", "lost", "restarted", "late report", "in its own progress"];

  /** Brings a job to a stage, ends it there, and lets everything go on. */
  async function endAt(stage: Stage, end: "abort" | "close"): Promise<{ code: unknown; next: unknown }> {
    const { pool, runners } = steppedPool(1);
    const [runner] = runners;
    if (runner === undefined) throw new Error("no runner");
    const controller = new AbortController();
    const finish = (): void => void (end === "abort" ? controller.abort() : void pool.close());
    const others = stage === "queued" ? [pool.mint(never), pool.mint(never)].map(codeOf) : [];
    const onProgress = stage === "in its own progress" ? finish : () => undefined;
    const ended = codeOf(pool.mint({ ...never, signal: controller.signal, onProgress }));
    if (stage === "lost" || stage === "restarted") runner.crash();
    if (stage === "restarted") await nextTurn();
    if (stage === "in its own progress" || stage === "late report") runner.mintOne();
    const late = [...runner.chunks];
    if (stage !== "in its own progress") finish();
    const code = await ended;
    // A report or a loss that comes when the job is gone changes nothing.
    if (stage === "late report") runner.chunks.push(...late.slice(runner.chunks.length));
    const next = codeOf(pool.mint(finite));
    await nextTurn();
    for (let steps = 0; steps < 200 && runner.chunksOut > 0; steps += 1) runner.mintOne();
    if (others.length > 0) await pool.close();
    return { code, next: await next };
  }

  test.each(stages)("an abort while the job is %s frees the worker for the next", async (stage) => {
    expect(await endAt(stage, "abort")).toEqual({ code: "E_MINT_ABORTED", next: "no error" });
  });

  test.each(stages)("a close while the job is %s ends all", async (stage) => {
    expect(await endAt(stage, "close")).toEqual({ code: "E_MINT_CLOSED", next: "E_MINT_CLOSED" });
  });

  test("an abort before the start hands out nothing, and one after the end changes nothing", async () => {
    const { pool, runners } = steppedPool(1);
    expect(await codeOf(pool.mint({ ...finite, signal: AbortSignal.abort() }))).toBe("E_MINT_ABORTED");
    expect(runners[0]?.chunksOut).toBe(0);
    const controller = new AbortController();
    const minting = pool.mint({ ...finite, signal: controller.signal });
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    controller.abort();
    expect((await minting).effort).toBe(finite.effort);
  });

  test("a finished job leaves no listener on a signal that outlives it", async () => {
    const { pool, runners } = steppedPool(1);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const minting = pool.mint({ ...finite, signal });
    expect(listeners).toBe(1);
    while (runners[0]?.keepsAlive) runners[0].mintOne();
    await minting;
    expect(listeners).toBe(0);
  });

  test("a deadline counts the time a job waits, and one beyond all timers is none", async () => {
    const { pool, runners } = steppedPool(1);
    void codeOf(pool.mint(never));
    const waiting = codeOf(pool.mint({ ...finite, deadlineMs: 1 }));
    const patient = pool.mint({ ...finite, deadlineMs: Number.POSITIVE_INFINITY });
    expect(await waiting).toBe("E_MINT_DEADLINE");
    let isDone = false;
    void patient.then(() => {
      isDone = true;
    });
    for (let steps = 0; steps < 200 && !isDone; steps += 1) {
      runners[0]?.mintOne();
      await Promise.resolve();
    }
    expect((await patient).nonce).toHaveLength(8);
    await pool.close();
  });
});

describe("the job queue", () => {
  test("serves great jobs alike: chunks of any two differ by one at most, whoever comes, goes or is lost", () => {
    const steps = fc.array(fc.record({ lose: fc.boolean(), pick: fc.nat() }), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), steps, (jobs, sequence) => {
        const queue = new JobQueue();
        const taken = new Map<number, number>();
        for (let count = 0; count < jobs; count += 1) taken.set(queue.add(never), 0);
        const out: Chunk[] = [];
        for (const { lose, pick } of sequence) {
          const chunk = queue.take(5000);
          if (chunk === undefined) throw new Error("great jobs always have something to do");
          taken.set(chunk.jobId, (taken.get(chunk.jobId) ?? 0) + 1);
          out.push(chunk);
          expect(Math.max(...taken.values()) - Math.min(...taken.values())).toBeLessThanOrEqual(1);
          for (const { chunkId } of out.splice(pick % (out.length + 1), 1)) {
            if (lose) queue.lose(chunkId);
            else queue.settle(chunkId, 5000, undefined);
          }
        }
      }),
    );
  });

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
