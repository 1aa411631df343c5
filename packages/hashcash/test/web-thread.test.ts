// The browser's pool on a Worker that is a thread of Node: the messages and their order are real, the page is not. In a browser
// it runs in the tests of the browser.
import { Worker as NodeWorker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createMint, MAX_EFFORT, verifyStamp } from "../src/index.ts";
import { createMintPool, type MintPool } from "../src/pool-web.ts";

const digest = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const startNonce = Uint8Array.from([0, 0, 0, 7, 255, 255, 255, 0]);
const child = new URL("./child/web-worker-in-node.ts", import.meta.url);

type Listener = ((event: object) => void) | null;

/** As much of the Web Worker API as a pool may rely on. */
class PageWorker {
  static readonly opened: { readonly entry: string; readonly options: object }[] = [];
  static running = 0;
  onmessage: Listener = null;
  onerror: Listener = null;
  onmessageerror: Listener = null;
  readonly #worker: NodeWorker;

  constructor(entry: string | URL, options: object) {
    if (String(entry) === "forbidden:") throw new Error("the policy of this page forbids it");
    PageWorker.opened.push({ entry: String(entry), options });
    PageWorker.running += 1;
    this.#worker = new NodeWorker(child, {
      execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"],
      workerData: String(entry),
    });
    this.#worker.on("message", (data) => this.onmessage?.({ data }));
    this.#worker.on("error", (error) => this.onerror?.({ error, message: error.message }));
    this.#worker.on("exit", () => {
      PageWorker.running -= 1;
    });
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}

const pools: MintPool[] = [];
function openPool(workers: number, workerUrl?: string): MintPool {
  const pool = createMintPool({ workers, ...(workerUrl && { workerUrl }) });
  pools.push(pool);
  return pool;
}

beforeEach(() => {
  PageWorker.opened.length = 0;
  Object.assign(globalThis, { Worker: PageWorker });
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  Reflect.deleteProperty(globalThis, "Worker");
});

describe("a pool of module workers", () => {
  test("finds what the plain mint finds, in the script beside the module", async () => {
    const task = { digest, effort: 40_000, startNonce };
    const nonce = createMint(task).run(2 ** 21);
    expect((await openPool(1).mint(task)).nonce).toEqual(nonce);
    const [{ entry, options } = { entry: "", options: {} }, ...more] = PageWorker.opened;
    expect([entry.endsWith("/src/web-worker.js"), options, more]).toEqual([
      true,
      { type: "module", name: "starling mint" },
      [],
    ]);
  });

  test("two of them mint many jobs; as many as there are processors, less one, unless told", async () => {
    const pool = createMintPool();
    pools.push(pool);
    const efforts = Array.from({ length: 10 }, (_, index) => 3000 + 500 * index);
    for (const minted of await Promise.all(efforts.map((effort) => pool.mint({ digest, effort })))) {
      expect(verifyStamp({ digest, ...minted, floor: minted.effort })).toBe("valid");
    }
    expect(PageWorker.opened.length).toBeLessThanOrEqual(Math.max(1, navigator.hardwareConcurrency - 1));
  });

  test("takes the script it is told", async () => {
    await openPool(1, "https://example.org/w.js").mint({ digest, effort: 100 });
    expect(PageWorker.opened.map(({ entry }) => entry)).toEqual(["https://example.org/w.js"]);
  });

  test("that fail are ended, and the job with the reason of the last", async () => {
    const doomed = openPool(1, "broken:").mint({ digest, effort: MAX_EFFORT });
    const cause = expect.objectContaining({ message: "broken script" });
    await expect(doomed).rejects.toMatchObject({ code: "E_MINT_WORKER", cause });
    expect(PageWorker.opened.length).toBe(2);
  });

  test("that a page forbids are E_MINT_WORKER", async () => {
    const doomed = openPool(1, "forbidden:").mint({ digest, effort: 100 });
    await expect(doomed).rejects.toMatchObject({ code: "E_MINT_WORKER", cause: expect.any(Error) });
  });
});
