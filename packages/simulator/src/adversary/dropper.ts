import type { NodeId } from "@starling/crypto-identity";
import { nodeIdToBytes } from "@starling/crypto-identity";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type CryptoTap, watchPlaintexts } from "../crypto-tap.ts";
import { eachFrame, SEND_HOPS, SEND_MIN_BYTES, SEND_RECIPIENT } from "../frames.ts";

/** More hops than a Send may have: it does not decode, and is dropped without an answer after the session has acknowledged it. */
const IMPOSSIBLE_HOPS = 0xff;

/**
 * A silent dropper: a shipped core that takes part in everything, acknowledges each Send to its neighbour and then loses those
 * that are for others.
 */
export function dropsForwarded(self: () => NodeId): CryptoTap {
  let id: Uint8Array | undefined;
  return watchPlaintexts({
    sealing: () => {},
    opened: (_peer, plaintext) => {
      eachFrame(plaintext, (kind, start, end) => {
        if (kind !== FRAME_KIND.send || end - start < SEND_MIN_BYTES) return;
        id ??= nodeIdToBytes(self());
        for (let i = 0; i < id.length; i += 1) {
          if (plaintext[start + SEND_RECIPIENT + i] === id[i]) continue;
          plaintext[start + SEND_HOPS] = IMPOSSIBLE_HOPS;
          return;
        }
      });
    },
  });
}
