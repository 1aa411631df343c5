import type { SessionKeys } from "@starling/crypto-identity";
import { type Candidate, decodeCandidate, encodeCandidate } from "@starling/wire-protocol";

// Candidates that were found after a description had gone, PROTOCOL §9: sealed under the channel's own keys, with counters that Data
// never reaches, and bound to the Offer by its tag.

export const CANDIDATES_LATE_MAX = 2;
/** Candidates of the peer that overtook its Answer are held, so many, for as long as the dial lasts: an Answer may be its third. */
export const CANDIDATES_EARLY_MAX = 10;
/** Data rekeys long before, at 2^32. */
const CANDIDATE_COUNTER = 2 ** 48;

/** The sealed form of our late candidate number `i`, below CANDIDATES_LATE_MAX. */
export function sealCandidate(keys: SessionKeys, offerTag: Uint8Array, i: number, candidate: Candidate): Uint8Array {
  return keys.send.seal(CANDIDATE_COUNTER + i, offerTag, encodeCandidate(candidate));
}

/** The peer's late candidate; undefined for what it did not seal. */
export function openCandidate(keys: SessionKeys, offerTag: Uint8Array, sealed: Uint8Array): Candidate | undefined {
  for (let i = 0; i < CANDIDATES_LATE_MAX; i += 1) {
    const opened = keys.receive.open(CANDIDATE_COUNTER + i, offerTag, sealed);
    const candidate = opened && decodeCandidate(opened);
    if (candidate?.ok) return candidate.value;
  }
  return undefined;
}
