import { describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import type { Contact } from "@starling/wire-protocol";
import { IterativeLookup, sortByDistance } from "../src/index.ts";

const id = (seed: number) => identityFromSeed(new Uint8Array(32).fill(seed)).id;
const SELF = id(250);
const TARGET = id(251);
/** From the farthest to the closest. */
const contacts: Contact[] = sortByDistance(
  TARGET,
  Array.from({ length: 40 }, (_, i) => ({ id: id(i + 1), address: { ip: "192.0.2.1", port: 1000 + i } })),
).toReversed();
const [A, B, C, D, E] = contacts as [Contact, Contact, Contact, Contact, Contact];
const none = { attached: false, contacts: [] };

describe("an iterative lookup", () => {
  test("asks the three closest, goes on with what they name, and ends with who has the target", () => {
    const lookup = new IterativeLookup(SELF, TARGET, [A, B, C, D]);
    expect(lookup.advance(0).asks).toEqual([D, C, B]);
    expect(
      lookup.answered(C.id, { attached: false, contacts: [E, { ...A, id: SELF }, { ...A, id: TARGET }] }, 10),
    ).toEqual({
      asks: [E],
      attached: undefined,
      isOver: false,
    });
    expect(lookup.answered(E.id, { attached: true, contacts: [] }, 20)).toMatchObject({ attached: E.id });
  });

  test("a silence frees a place; a late answer still counts; an answer that nobody asked for does not", () => {
    const lookup = new IterativeLookup(SELF, TARGET, [A, B], 1);
    expect(lookup.advance(0).asks).toEqual([B]);
    expect(lookup.nextDeadline()).toBe(1500);
    expect(lookup.answered(A.id, { attached: true, contacts: [] }, 1)).toMatchObject({ attached: undefined, asks: [] });
    expect(lookup.advance(1500).asks).toEqual([A]);
    expect(lookup.silent()).toEqual([B.id]);
    expect(lookup.answered(B.id, { attached: true, contacts: [] }, 1600)).toMatchObject({ attached: B.id });
  });

  test("ends where nobody is left", () => {
    const lookup = new IterativeLookup(SELF, TARGET, [A]);
    lookup.advance(0);
    expect(lookup.answered(A.id, none, 5)).toMatchObject({ asks: [], isOver: true });
    expect(new IterativeLookup(SELF, TARGET, []).advance(0)).toMatchObject({ isOver: true });
  });

  test("a liar that names ever more nodes gets 24 asks and no more", () => {
    const lookup = new IterativeLookup(SELF, TARGET, [A]);
    let asked = 0;
    let step = lookup.advance(0);
    const queue = [...step.asks];
    for (let contact = queue.shift(); contact !== undefined; contact = queue.shift()) {
      asked += 1;
      const named = Array.from({ length: 8 }, (_, i) => ({ ...A, id: id((asked * 8 + i) % 249 || 1) }));
      step = lookup.answered(contact.id, { attached: false, contacts: named }, asked);
      queue.push(...step.asks);
    }
    expect(asked).toBeLessThanOrEqual(24);
    expect(step.isOver).toBe(true);
  });
});
