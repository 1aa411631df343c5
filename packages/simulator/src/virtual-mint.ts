import { createMint } from "@starling/hashcash";
import type { MintRequest } from "@starling/node-core";

/** How fast a virtual worker mints: the hashes are real, the time they take is this. */
const HASHES_PER_MS = 5000;
const HASHES_A_RUN = 1 << 16;

export function mint(
  request: MintRequest,
  hashesPerMs: number = HASHES_PER_MS,
): { readonly nonce: Uint8Array; readonly tookMs: number } {
  const task = createMint(request);
  let nonce: Uint8Array | undefined;
  while (nonce === undefined) nonce = task.run(HASHES_A_RUN);
  return { nonce, tookMs: task.hashes / hashesPerMs };
}
