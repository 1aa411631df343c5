import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { verifyStamp } from "@starling/hashcash";
import { createMintPool } from "@starling/hashcash/pool";
import { BrowserPage } from "./browser-page.ts";

type Minted = { readonly nonce: number[]; readonly hashes: number; readonly progress: number };
const EFFORT = 2 ** 22;
const digest = randomBytes(32);
let page: BrowserPage;

beforeAll(async () => {
  page = await BrowserPage.open("hashcash");
}, 30_000);
afterAll(() => page.close());

describe("hashcash in Chromium beside Node", () => {
  test("stamps are minted in two module workers, by the SIMD kernel, and verify in Node", async () => {
    expect(await page.call("kernel", null)).toBe("wasm-simd");
    const mints = Array.from({ length: 4 }, () =>
      page.call<Minted>("mint", { digest: [...digest], effort: EFFORT, deadlineMs: 15_000 }),
    );
    for (const { nonce, hashes, progress } of await Promise.all(mints)) {
      expect(verifyStamp({ digest, effort: EFFORT, nonce: Uint8Array.from(nonce), floor: EFFORT })).toBe("valid");
      expect([hashes, progress].every((count) => count > 0)).toBe(true);
    }
  });

  test("a stamp of Node verifies in the page, and one with a flipped bit does not", async () => {
    const pool = createMintPool({ workers: 1 });
    const minted = await pool.mint({ digest, effort: EFFORT });
    await pool.close();
    const stamp = { digest: [...digest], effort: EFFORT, nonce: [...minted.nonce] };
    expect(await page.call("verify", stamp)).toBe("valid");
    const flipped = [(digest[0] ?? 0) ^ 1, ...digest.subarray(1)];
    expect(await page.call("verify", { ...stamp, digest: flipped })).toBe("bad-stamp");
  });

  test("a deadline ends the search, and a closed pool mints no more", async () => {
    const hopeless = { digest: [...digest], effort: 2 ** 48 - 1, deadlineMs: 50 };
    expect(await page.call("mint", hopeless)).toEqual({ code: "E_MINT_DEADLINE" });
    await page.call("close", null);
    expect(await page.call("mint", hopeless)).toEqual({ code: "E_MINT_CLOSED" });
  });

  test("the page complained of nothing", () => {
    expect(page.complaints).toEqual([]);
  });
});
