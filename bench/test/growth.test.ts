import { expect, test } from "@jest/globals";
import { type Growth, growthSheet, growthTable } from "../src/growth.ts";

const GROWTH: Growth = {
  name: "size",
  title: "Through a relay, by size",
  over: { label: "size", unit: "B", isLog: true, values: [100, 1_000] },
  charts: [
    {
      name: "round trip",
      unit: "ms",
      sides: [
        { name: "theirs", samples: [[10, 12, 11], [20]] },
        { name: "ours", samples: [[20, 6, 33], [40]] },
      ],
    },
    { name: "packets", unit: "", sides: [{ name: "theirs", samples: [[1, 50, 2], [100]] }] },
  ],
  note: "libp2p 3.3.11. On loopback.",
};

test("the table has medians, and the median of the rounds' ratios to the first side", () => {
  expect(growthTable(GROWTH)).toBe(
    [
      "| Through a relay, by size | 100 B | 1,000 B |",
      "| --- | --- | --- |",
      "| round trip: theirs | 11 ms | 20 ms |",
      "| round trip: ours | 20 ms (2 x) | 40 ms (2 x) |",
      "| packets: theirs | 2 | 100 |",
      "",
    ].join("\n"),
  );
});

test("what could not be measured says why, instead of a table", () => {
  expect(growthTable({ ...GROWTH, charts: [], skipped: "no nft" })).toBe(
    "Through a relay, by size: not measured: no nft\n",
  );
});

test("a point is the median with its rounds around it; labels have units; versions and machine stand below", () => {
  const { title, charts, caption } = growthSheet(GROWTH, "2026-01-01, 2 x CPU");
  expect(title).toBe("Through a relay, by size");
  expect(charts[0]?.x).toEqual({ label: "size, B", isLog: true, ticks: [100, 1_000] });
  expect(charts[0]?.y.label).toBe("round trip, ms");
  expect(charts[0]?.lines[1]).toEqual({
    name: "ours",
    points: [
      { x: 100, y: 20, range: [6, 33] },
      { x: 1_000, y: 40, range: [40, 40] },
    ],
  });
  expect(caption).toEqual([
    "libp2p 3.3.11. On loopback.",
    "Medians of 3 rounds; bars from the least to the greatest of them. 2026-01-01, 2 x CPU",
  ]);
});

test("a figure over a decade and more stands on a logarithmic axis, others and those with a 0 do not", () => {
  const isLogOf = (samples: readonly (readonly number[])[]): boolean | undefined => {
    const charts = [{ name: "f", unit: "", sides: [{ name: "theirs", samples }] }];
    return growthSheet({ ...GROWTH, charts }, "").charts[0]?.y.isLog;
  };
  expect(isLogOf([[1], [10]])).toBe(true);
  expect(isLogOf([[1], [9]])).toBe(false);
  expect(isLogOf([[0], [100]])).toBe(false);
});
