import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import type { Publication } from "@starling/wire-protocol";
import fc from "fast-check";
import { PublicationCache } from "../src/broadcast/publication-cache.ts";

const CONTENT_MAX_BYTES = 16 * 1024 * 1024;
const SIZES = [100, 3_000_000, 7_000_000].map((sizeBytes) => new Uint8Array(sizeBytes));

const publicationOf = (encoded: Uint8Array, timestampMs: number) => ({ encoded, timestampMs }) as Publication;
const entryOf = (key: number, atMono: number, publication: Publication) => ({
  ...{ shortId: key.toString(16).padStart(16, "0"), atMono, hops: 0, wanted: false, publication },
  ...{ knownBy: new Set<NodeId>(), isAbroad: false },
});
type Entry = ReturnType<typeof entryOf>;

const steps = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 11 }),
    size: fc.constantFrom(0, 0, 1, 2),
    isTick: fc.boolean(),
    afterMs: fc.constantFrom(0, 1, 5_000, 20_000, 60_000, 120_000),
  }),
  { maxLength: 40 },
);

describe("the cache of publications", () => {
  test("whatever comes: ids for 120 s, content for 60 s, and of content the newest 16 MiB", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const cache = new PublicationCache();
        let had: Entry[] = [];
        const content = new Set<Entry>();
        let mono = 0;
        for (const { key, size, isTick, afterMs } of all) {
          mono += afterMs;
          const publication = publicationOf(SIZES[size] as Uint8Array, 1_000_000 + mono - 100 * key);
          if (isTick) {
            cache.expire(mono);
          } else {
            const entry = entryOf(key, mono, publication);
            const copy = { ...entry };
            for (const old of had) if (old.shortId === entry.shortId) content.delete(old);
            had = [...had.filter(({ shortId }) => shortId !== entry.shortId), copy];
            content.add(copy);
            cache.add(entry);
          }
          had = had.filter(({ atMono }) => atMono + 120_000 > mono);
          // What has gone once does not come back when there is room again.
          for (const entry of content) if (entry.atMono + 60_000 <= mono) content.delete(entry);
          const bytes = () => [...content].reduce((sum, { publication: { encoded } }) => sum + encoded.length, 0);
          for (const entry of content) if (bytes() > CONTENT_MAX_BYTES) content.delete(entry);
          const held = new Map<string, Publication>();
          for (const entry of [...had].reverse()) if (content.has(entry)) held.set(entry.shortId, entry.publication);
          expect(cache.nextDeadline()).toBe(had[0] === undefined ? null : had[0].atMono + 120_000);
          for (let k = 0; k <= 11; k += 1) {
            const { shortId } = entryOf(k, 0, publication);
            const known = cache.get(shortId);
            expect(known?.shortId).toBe(had.find((entry) => entry.shortId === shortId)?.shortId);
            expect(known?.publication?.timestampMs).toBe(held.get(shortId)?.timestampMs);
          }
          const [fromMs, toMs] = [1_000_000 + mono - 30_000, 1_000_000 + mono];
          expect(cache.wanted(fromMs, toMs)).toEqual(
            [...held]
              .map(([shortId, { timestampMs }]) => ({ shortId, timestampMs }))
              .filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < toMs),
          );
        }
      }),
    );
  });

  test("65,536 ids; the oldest makes room", () => {
    const cache = new PublicationCache();
    for (let key = 0; key <= 65_536; key += 1) {
      cache.add(entryOf(key, key / 1_000, publicationOf(SIZES[0] as Uint8Array, key)));
    }
    const isKnown = (key: number) =>
      cache.get(entryOf(key, 0, publicationOf(new Uint8Array(0), 0)).shortId) !== undefined;
    expect([0, 1, 65_536].map(isKnown)).toEqual([false, true, true]);
    expect(cache.nextDeadline()).toBe(120_000.001);
  });
});
