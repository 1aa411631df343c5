import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { IngressQueue } from "../src/ingress-queue.ts";
import { identity } from "./support.ts";

describe("price and queue", () => {
  const [A, B, C] = [identity(5).id, identity(6).id, identity(7).id];
  const offer = (queue: IngressQueue<string>, link: NodeId, multiple: number, now: number, sizeBytes = 500) =>
    queue.offer({ link, id: "", item: `${multiple}`, sizeBytes, multiple }, now).map(({ waiting }) => waiting.item);
  const carrying = (perSecond: number) => new IngressQueue<string>({ perSecond, linkHas: () => true });
  const serve = (queue: IngressQueue<string>, now: number) => queue.serve(now).served.map(({ link }) => link);

  test("nothing waits while there is allowance", () => {
    const queue = carrying(50);
    for (let ms = 0; ms < 2000; ms += 20) expect(queue.passes(A, 500, 1, ms)).toBe(true);
    expect(queue.nextDeadline()).toBeNull();
    // A tenth of a second's worth at once, and no more.
    expect(Array.from({ length: 10 }, () => queue.passes(A, 500, 1, 3000)).filter((passes) => passes)).toHaveLength(5);
  });

  test("links take turns, and on a link the dearest goes first", () => {
    const queue = carrying(10);
    while (queue.passes(A, 500, 1, 0));
    for (const multiple of [1, 3, 2]) offer(queue, A, multiple, 0);
    offer(queue, B, 1, 0);
    offer(queue, C, 1, 0);
    const served: string[] = [];
    for (let due = queue.nextDeadline(); due !== null; due = queue.nextDeadline()) {
      served.push(...queue.serve(due).served.map(({ link, item }) => `${link === A ? "A" : "other"} ${item}`));
    }
    expect(served).toEqual(["A 3", "other 1", "other 1", "A 2", "A 1"]);
  });

  test("at its deadline it serves, whatever fractions of an allowance add up to", () => {
    for (const perSecond of [3, 7, 10, 50, 333]) {
      const queue = carrying(perSecond);
      let now = 0.1;
      while (queue.passes(A, 500, 1, now));
      for (let i = 0; i < 12; i += 1) offer(queue, A, 1, now);
      // Each time at its deadline, and in steps before, as other timers of a node fall in between.
      let rounds = 0;
      for (let due = queue.nextDeadline(); due !== null && rounds < 13; due = queue.nextDeadline()) {
        rounds += 1;
        for (let step = 1; step < 7; step += 1) queue.serve(now + ((due - now) * step) / 7);
        now = due;
        queue.serve(now);
      }
      expect(queue.nextDeadline()).toBeNull();
    }
  });

  test("a full queue sheds the cheapest, be it the new one; so does waiting too long", () => {
    const queue = carrying(10);
    while (queue.passes(A, 500, 1, 0));
    for (let multiple = 10; multiple < 26; multiple += 1) expect(offer(queue, A, multiple, 0)).toEqual([]);
    expect(offer(queue, A, 5, 0)).toEqual(["5"]);
    expect(offer(queue, A, 30, 0)).toEqual(["10"]);
    expect(offer(queue, B, 1, 0, 256 * 1024)).toEqual([]);
    expect(offer(queue, B, 2, 0, 256 * 1024)).toEqual(["1"]);
    expect(queue.serve(5000).shed).toHaveLength(17);
    expect(queue.nextDeadline()).toBeNull();
  });

  test("only the link that is congested becomes dearer, and cheaper again; one that is gone is forgotten", () => {
    const queue = carrying(10);
    for (let ms = 0; ms < 10_000; ms += 10) {
      offer(queue, A, 100, ms);
      if (ms % 1000 === 0) offer(queue, B, 1, ms);
      serve(queue, ms);
    }
    expect(queue.price(A, 10_000)).toBeGreaterThan(90);
    expect(queue.price(B, 10_000)).toBe(1);
    queue.serve(20_000);
    const later = queue.price(A, 45_000);
    expect(later).toBeLessThan(10);
    queue.closed(A);
    expect(queue.price(A, 45_000)).toBe(1);
  });

  test("what waits of all links is bounded; the link that holds the most makes room", () => {
    const queue = carrying(10);
    while (queue.passes(A, 500, 1, 0));
    const kib = 1024;
    const names = Array.from({ length: 70 }, (_, i) => `${i}` as NodeId);
    const shed = names.flatMap((link) =>
      queue
        .offer({ link, id: "", item: link, sizeBytes: 230 * kib, multiple: 1 }, 0)
        .map(({ waiting }) => waiting.link),
    );
    expect(shed).toEqual([]);
    expect(offer(queue, A, 1, 0, 200 * kib)).toEqual([]);
    expect(offer(queue, A, 1, 0, 56 * kib)).toEqual([]);
    expect(offer(queue, B, 1, 0, 60 * kib)).toEqual(["1"]);
    expect(queue.serve(5000).shed.map(({ waiting }) => waiting.link)).toEqual([...names, A, B]);
  });

  test("a link whose own quota is used up waits for it, the others do not, and its dearest goes first", () => {
    let left = 1;
    const queue = new IngressQueue<string>({ perSecond: 1000, linkHas: (link) => link !== A || left > 0 });
    left = 0;
    for (const multiple of [1, 3, 2]) offer(queue, A, multiple, 0);
    expect(serve(queue, 0)).toEqual([]);
    offer(queue, B, 1, 1);
    expect(serve(queue, 1)).toEqual([B]);
    const due = queue.nextDeadline() ?? Number.NaN;
    expect(due).toBeGreaterThan(1);
    expect(queue.serve(due)).toEqual({ served: [], shed: [] });
    left = 1;
    const again = queue.nextDeadline() ?? Number.NaN;
    expect(again).toBeGreaterThan(due);
    expect(queue.serve(again).served.map(({ item }) => item)).toEqual(["3", "2", "1"]);
    expect(queue.nextDeadline()).toBeNull();
  });

  test("what is shed says for which limit: the link's own, or what is carried in all", () => {
    const full = new IngressQueue<string>({ perSecond: 1000, linkHas: (link) => link !== A });
    for (let i = 0; i < 16; i += 1) offer(full, A, 2, 0);
    full.serve(0);
    expect(full.offer({ link: A, id: "", item: "", sizeBytes: 1, multiple: 1 }, 0)).toMatchObject([{ limit: "link" }]);
    const busy = carrying(10);
    while (busy.passes(B, 500, 1, 0));
    for (let i = 0; i < 16; i += 1) offer(busy, B, 2, 0);
    expect(busy.offer({ link: B, id: "", item: "", sizeBytes: 1, multiple: 1 }, 0)).toMatchObject([{ limit: "total" }]);
  });
});
