import { expect, test } from "@jest/globals";
import type { Growth } from "../src/growth.ts";
import { between, section } from "../src/results.ts";

const DOCUMENT = "# Title\n\n<!-- one -->\n<!-- end of one -->\n\n<!-- two -->\nold\n<!-- end of two -->\nlast\n";
const GROWTH: Growth = {
  name: "size",
  title: "By size",
  over: { label: "size", unit: "B", isLog: true, values: [100] },
  charts: [{ name: "rate", unit: "/s", sides: [{ name: "theirs", samples: [[7]] }] }],
  note: "",
};

test("what is written stands between the two marks of its bench, in place of what stood there", () => {
  expect(between(DOCUMENT, "two", "new\n")).toBe(DOCUMENT.replace("old", "new"));
  expect(between(DOCUMENT, "one", "new\n")).toBe(DOCUMENT.replace("<!-- one -->\n", "<!-- one -->\nnew\n"));
});

test("a bench without a place is an error that names its marks", () => {
  expect(() => between(DOCUMENT, "three", "new\n")).toThrow("<!-- three --> and <!-- end of three -->");
});

test("a section: the figures, then a table and a picture for each growth", () => {
  const figures = [{ name: "a rate", unit: "x", samples: [2, 1, 3] }];
  expect(section("bench", "2026-01-01, 2 x CPU", { figures, growths: [GROWTH] })).toBe(
    [
      "",
      "2026-01-01, 2 x CPU:",
      "",
      "| figure | target | measured |",
      "| --- | --- | --- |",
      "| a rate | – | 2 x (1 to 3) |",
      "",
      "| By size | 100 B |",
      "| --- | --- |",
      "| rate: theirs | 7 /s |",
      "",
      "![By size](benchmarks/bench-size.svg)",
      "",
      "",
    ].join("\n"),
  );
});

test("a growth that was not measured has no picture", () => {
  const skipped = { ...GROWTH, charts: [], skipped: "no nft" };
  const text = section("bench", "today", { figures: [], growths: [skipped] });
  expect(text).toContain("By size: not measured: no nft\n");
  expect(text).not.toContain("![");
});
