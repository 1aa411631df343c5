import { expect, test } from "@jest/globals";
import { NodeCore, RelayCore, type RelayOutput } from "../src/index.ts";
import { at, counterRandom, identity, WALL } from "./support.ts";

// The lower bound of freshness over the lives of a process, PROTOCOL §7.4, in virtual time.

const HOUR_MS = 3_600_000;
const START = { mono: 0, wall: WALL };

function relay(now = START, freshnessBoundMs?: number): RelayCore {
  const options = { identity: identity(1), network: "test", bootstrap: [], announce: [], maxNeighbours: 8 };
  const saved = freshnessBoundMs === undefined ? {} : { freshnessBoundMs };
  return new RelayCore({ ...options, ...saved, random: counterRandom() }, now);
}

/** Ticks whenever it is due, and what it says of time. */
function live(core: RelayCore | NodeCore, toMono: number, wallOf: (mono: number) => number) {
  const said: { readonly mono: number; readonly output: RelayOutput }[] = [];
  let mono = 0;
  while (mono <= toMono) {
    for (const output of core.tick({ mono, wall: wallOf(mono) })) {
      if (output.type === "save-freshness-bound" || output.type === "clock-set-back") said.push({ mono, output });
    }
    mono = Math.max(mono + 1, core.nextDeadline() ?? toMono + 1);
  }
  return said;
}

test("each 30 s, give or take an upkeep, and at its end a relay says what its next life is to begin with", () => {
  const core = relay();
  const said = live(core, 300_000, (mono) => WALL + mono);
  expect(said.length).toBeGreaterThanOrEqual(8);
  expect(said.length).toBeLessThanOrEqual(10);
  for (const { mono, output } of said) expect(output).toEqual({ type: "save-freshness-bound", boundMs: WALL + mono });
  expect(core.close(at(300_500))).toContainEqual({ type: "save-freshness-bound", boundMs: WALL + 300_500 });
});

test("a node says it too, and what is said never moves back with the clock", () => {
  const options = { identity: identity(2), network: "test", bootstrap: [], announce: [], maxNeighbours: 8 };
  const core = new NodeCore({ ...options, random: counterRandom() }, START);
  // After two minutes the clock is set back by one.
  const said = live(core, 240_000, (mono) => WALL + mono - (mono > 120_000 ? 60_000 : 0));
  const bounds = said.flatMap(({ output }) => (output.type === "save-freshness-bound" ? [output.boundMs] : []));
  expect(bounds.length).toBeGreaterThan(5);
  expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
  expect(said.filter(({ output }) => output.type === "clock-set-back")).toEqual([]);
});

test("a clock that is moved on by more than a second has its bound saved with the next upkeep", () => {
  const said = live(relay(), 25_000, (mono) => WALL + mono + (mono > 10_000 ? 1500 : 900 * Math.min(1, mono / 5000)));
  expect(said.length).toBe(1);
  const [{ mono, output }] = said as [(typeof said)[number]];
  expect(mono).toBeGreaterThan(10_000);
  expect(mono).toBeLessThan(17_000);
  expect(output).toEqual({ type: "save-freshness-bound", boundMs: WALL + mono + 1500 });
});

test("a saved bound an hour ahead is reset at once, said once and counted; one 150 s ahead is kept", () => {
  const wrong = relay(START, WALL + HOUR_MS);
  const said = live(wrong, 60_000, (mono) => WALL + mono);
  expect(said.filter(({ output }) => output.type === "clock-set-back")).toEqual([
    { mono: 0, output: { type: "clock-set-back", wallMs: WALL } },
  ]);
  expect(wrong.counts()["clock.set-back"]).toBe(1);
  expect(wrong.close(at(61_000))).toContainEqual({ type: "save-freshness-bound", boundMs: WALL + 61_000 });

  const right = relay(START, WALL + 150_000);
  expect(live(right, 10_000, (mono) => WALL + mono)).toEqual([]);
  expect(right.counts()["clock.set-back"]).toBeUndefined();
  expect(right.close(at(11_000))).toContainEqual({ type: "save-freshness-bound", boundMs: WALL + 150_000 });
});
