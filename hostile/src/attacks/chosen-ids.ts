import { RotatingFilter } from "@starling/bloom";
import { systemRandom } from "@starling/crypto-identity";
import { type Attack, atLeast, atMost } from "../attack.ts";

// An attacker fills a relay's filter of seen messages with ids of his own, works out in a copy which other ids then pass for seen, and
// waits for those. He has the shipped code and all but the key, so his copy has a key of his own. That he finds what he looks for in
// his copy shows that the attack is one. (Ids ground against a given victim: packages/bloom/test/chosen-items.test.ts.)

const CHOSEN = 10_000;
const VICTIMS = 100;
/** Low, so that chance alone makes none of the victims pass for seen. */
const ERROR_RATE = 1e-5;
const PROBES = 10_000_000;
const TRIES_MAX = 50_000_000;
const PER_TURN = 500_000;

export const chosenIds: Attack = {
  name: "chosen-ids",
  does: `fills a relay's filter with ${CHOSEN.toLocaleString("en-US")} ids so that ${VICTIMS} others pass for seen`,
  on: "none",
  async run() {
    const copy = filterOf(new Uint8Array(16));
    const relays = filterOf(systemRandom(16));
    const id = new Uint8Array(16);
    const words = new DataView(id.buffer);
    const probe = (group: number, index: number): Uint8Array => {
      words.setUint32(0, group);
      words.setUint32(4, index);
      return id;
    };
    for (let index = 0; index < CHOSEN; index += 1) for (const filter of [copy, relays]) filter.add(probe(1, index), 0);
    let victims = 0;
    let censored = 0;
    for (let index = 0; index < TRIES_MAX && victims < VICTIMS; index += 1) {
      if (index % PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (!copy.has(probe(2, index))) continue;
      victims += 1;
      if (relays.has(id)) censored += 1;
    }
    let wrong = 0;
    for (let index = 0; index < PROBES; index += 1) {
      if (index % PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (relays.has(probe(3, index))) wrong += 1;
    }
    return {
      badCount: CHOSEN,
      checks: [
        atLeast("S8", "ids found that pass for seen where the key is known", victims, VICTIMS),
        atMost("S8", "of them passing for seen at the relay", censored, 0),
        atMost(
          "S8",
          "false positives of the relay's filter, over the rate asked for",
          wrong / PROBES / ERROR_RATE,
          1.5,
          "x",
        ),
      ],
    };
  },
};

function filterOf(key: Uint8Array): RotatingFilter {
  const capacities = { initialCapacity: CHOSEN, maxCapacity: CHOSEN };
  return new RotatingFilter({ ...capacities, errorRate: ERROR_RATE, rotationMs: 180_000, nowMs: 0, key });
}
