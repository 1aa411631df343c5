import { mintKernelName, verifyStamp } from "@starling/hashcash";
import { createMintPool, type MintError } from "@starling/hashcash/pool";
import { expose } from "./expose.ts";

const pool = createMintPool({ workers: 2, workerUrl: new URL("/hashcash-worker.js", location.href) });

expose({
  kernel: mintKernelName,
  async mint({ digest, effort, deadlineMs }: { digest: number[]; effort: number; deadlineMs: number }) {
    let progress = 0;
    const onProgress = (): void => {
      progress += 1;
    };
    try {
      const minted = await pool.mint({ digest: Uint8Array.from(digest), effort, deadlineMs, onProgress });
      return { nonce: [...minted.nonce], hashes: minted.hashes, progress };
    } catch (error) {
      return { code: (error as MintError).code };
    }
  },
  verify: ({ digest, effort, nonce }: { digest: number[]; effort: number; nonce: number[] }): string =>
    verifyStamp({ digest: Uint8Array.from(digest), effort, nonce: Uint8Array.from(nonce), floor: 1 }),
  close: () => pool.close(),
});
