import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as identity from "@starling/crypto-identity";
import { build } from "esbuild";

export type Api = typeof identity;

/** crypto-identity bundled for a browser as a site would bundle it, and so on its noble backend. */
export async function bundledForBrowser(): Promise<Api> {
  const directory = await mkdtemp(join(tmpdir(), "starling-bench-"));
  try {
    const outfile = join(directory, "crypto-identity.mjs");
    await build({
      stdin: { contents: 'export * from "@starling/crypto-identity";', resolveDir: import.meta.dirname },
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions: ["@starling/source"],
      outfile,
      logLevel: "silent",
    });
    return (await import(pathToFileURL(outfile).href)) as Api;
  } finally {
    await rm(directory, { recursive: true });
  }
}
