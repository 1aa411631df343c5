import { createMintPool } from "@starling/hashcash/pool";
import type { MintRequest, NodeInput } from "@starling/node-core";
import { workerUrl } from "./bundled.ts";

/** Mints what the core asks for in worker threads, each job until it is found, cancelled or out of time. */
export class Minting {
  readonly #pool = createMintPool(workerUrl === undefined ? {} : { workerUrl });
  // BOUNDED: by the pool, which refuses more jobs than it holds.
  readonly #jobs = new Map<string, AbortController>();

  /** Answers later with `minted` or `mint-failed`; a cancelled job may answer too, and the core knows it no more. */
  start({ job, digest, effort, startNonce, deadlineMs }: MintRequest, feed: (input: NodeInput) => void): void {
    const abort = new AbortController();
    this.#jobs.set(job, abort);
    const { signal } = abort;
    this.#pool.mint({ digest, effort, startNonce, deadlineMs, signal }).then(
      ({ nonce }) => {
        this.#jobs.delete(job);
        feed({ type: "minted", job, nonce });
      },
      () => {
        this.#jobs.delete(job);
        feed({ type: "mint-failed", job });
      },
    );
  }

  cancel(job: string): void {
    this.#jobs.get(job)?.abort();
    this.#jobs.delete(job);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
