import { expect, test } from "@jest/globals";
import { grow, type Plan } from "../src/grow.ts";

type Sample = { readonly at: number; readonly rate: number };

const WHAT = {
  name: "size",
  title: "by size",
  over: { label: "size", unit: "B", isLog: true, values: [10, 20] },
  note: "On loopback.",
};

/** A plan that writes down what it is asked to do. */
function planned(changes: Partial<Plan<"theirs" | "ours", Sample>> = {}): {
  readonly plan: Plan<"theirs" | "ours", Sample>;
  readonly log: string[];
} {
  const log: string[] = [];
  let count = 0;
  const plan: Plan<"theirs" | "ours", Sample> = {
    names: { theirs: "Theirs", ours: "Ours" },
    rounds: 2,
    charts: [{ name: "at", unit: "", of: ({ at }) => at }],
    isApart: false,
    open: async (value) => {
      log.push(`open ${value}`);
      return {
        set: (now) => void log.push(`set ${now}`),
        measure: async (side, now) => {
          log.push(`${side} ${now}`);
          count += 1;
          return { at: count, rate: side === "ours" ? Number.NaN : now };
        },
        close: async () => void log.push("close"),
      };
    },
    whyNot: async () => undefined,
    versions: () => "peer 1.0.",
    progress: () => undefined,
    ...changes,
  };
  return { plan, log };
}

test("each value has its rounds, the sides in turn, and the first round is not counted", async () => {
  const { plan, log } = planned();
  const { charts, note } = await grow(WHAT, plan);
  const rounds = (value: number): string[] =>
    Array.from({ length: 3 }, () => [`theirs ${value}`, `ours ${value}`]).flat();
  expect(log).toEqual(["open 10", "set 10", ...rounds(10), "set 20", ...rounds(20), "close"]);
  expect(charts[0]?.sides).toEqual([
    {
      name: "Theirs",
      samples: [
        [3, 5],
        [9, 11],
      ],
    },
    {
      name: "Ours",
      samples: [
        [4, 6],
        [10, 12],
      ],
    },
  ]);
  expect(note).toBe("peer 1.0. On loopback.");
});

test("where each value needs a place of its own, the last one is closed first", async () => {
  const { plan, log } = planned({ isApart: true });
  await grow(WHAT, plan);
  expect(log.filter((line) => /open|close/.test(line))).toEqual(["open 10", "close", "open 20", "close"]);
});

test("a side without a figure is not in its chart, and a chart that nobody has is not there", async () => {
  const { plan } = planned({
    charts: [
      { name: "rate", unit: "/s", of: ({ rate }) => rate },
      { name: "nothing", unit: "", of: () => Number.NaN },
    ],
  });
  const { charts } = await grow(WHAT, plan);
  expect(charts.map(({ name, sides }) => [name, sides.map((side) => side.name)])).toEqual([["rate", ["Theirs"]]]);
});

test("a place is closed when a measurement fails", async () => {
  const { plan, log } = planned();
  const failing: typeof plan = {
    ...plan,
    open: async (value) => ({ ...(await plan.open(value)), measure: () => Promise.reject(new Error("no answer")) }),
  };
  await expect(grow(WHAT, failing)).rejects.toThrow("no answer");
  expect(log.at(-1)).toBe("close");
});

test("what cannot be measured here is not started", async () => {
  const { plan, log } = planned({ whyNot: async () => "no nft" });
  expect(await grow(WHAT, plan)).toEqual({ ...WHAT, charts: [], skipped: "no nft" });
  expect(log).toEqual([]);
});
