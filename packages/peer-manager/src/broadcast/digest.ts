import type { Digest } from "@starling/wire-protocol";
import { SHORT_IDS_MAX } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import type { PublicationCache } from "./publication-cache.ts";

// What two neighbours have both had by now, compared in a few bytes: how many publications of a span of time, and their short ids
// combined. The asker names the span in authors' time, so that both count the same ones; what differs is told by a Have.

const SPAN_MS = 30_000;
/** Younger ones may still be on their way. */
const YOUNGEST_MS = 2000;
/** Where there are more than one Have names, one digest after the other goes so many times as far back. */
const WINDOWS = 4;

type Had = { readonly shortId: string; readonly timestampMs: number };

/** Of the publications of the span, at most as many as one Have names, further back at each `turn`; undefined where there is none. */
export function digestNow(cache: PublicationCache, bornWallMs: number, turn: number, now: Now): Digest | undefined {
  const lastMs = Math.max(0, Math.floor(now.wall - YOUNGEST_MS));
  const firstMs = Math.max(0, Math.ceil(Math.max(bornWallMs, lastMs - SPAN_MS)));
  const span = hadBetween(cache, firstMs, lastMs);
  if (span.length === 0) return undefined;
  const windows = Math.min(WINDOWS, Math.ceil(span.length / SHORT_IDS_MAX));
  const end = span.length - (turn % windows) * SHORT_IDS_MAX;
  // More than a Have names would be left out of the answer: the window begins behind them.
  const before = span[end - SHORT_IDS_MAX - 1];
  const fromMs = before === undefined ? firstMs : before.timestampMs + 1;
  const toMs = span[end]?.timestampMs ?? lastMs;
  const counted = span.filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < toMs);
  return { type: "digest", fromMs, toMs, count: counted.length, combined: combine(counted) };
}

/**
 * The short ids that a neighbour's digest does not agree with, the oldest first; none where it does. The neighbour has counted as many
 * as one Have names, and lacks some: those may lie at either end, so twice as many are told.
 */
export function differing(cache: PublicationCache, { fromMs, toMs, count, combined }: Digest): string[] {
  const own = hadBetween(cache, fromMs, toMs);
  if (own.length === count && combine(own) === combined) return [];
  return own.slice(-2 * SHORT_IDS_MAX).map(({ shortId }) => shortId);
}

function hadBetween(cache: PublicationCache, fromMs: number, toMs: number): Had[] {
  return cache.wanted(fromMs, toMs).sort((a, b) => a.timestampMs - b.timestampMs);
}

function combine(had: readonly Had[]): string {
  let [high, low] = [0, 0];
  for (const { shortId } of had) {
    high ^= Number.parseInt(shortId.slice(0, 8), 16);
    low ^= Number.parseInt(shortId.slice(8), 16);
  }
  return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
