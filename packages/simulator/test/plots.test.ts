import { expect, test } from "@jest/globals";
import { growthPlot } from "../src/mesh/plot.ts";
import { distributionPlot } from "../src/plot.ts";

const linesOf = (svg: string): string[] =>
  [...svg.matchAll(/<polyline class="line"([^>]*)points="([^"]*)"/g)].map(([, look, points]) => `${look}${points}`);

test("growth: the line through the points goes on where it ended, dashed, to a million", () => {
  const measured = [100, 1_000, 10_000].map((nodes, i) => {
    const figures = { p50Ms: 100 + 50 * i, p99Ms: 200 + 50 * i, bytes: 900 };
    return { nodes, tree: figures, flood: figures };
  });
  const lines = linesOf(growthPlot(measured));
  expect(lines).toHaveLength(10);
  for (let i = 0; i < lines.length; i += 2) {
    const [through = "", on = ""] = lines.slice(i, i + 2);
    expect(through).not.toContain("dasharray");
    expect(on).toContain("dasharray");
    const end = through.split(" ").at(-1) ?? "none";
    expect(on).toContain(`${end} `);
  }
});

test("distribution: a line a seed, from 0 % to 99 %", () => {
  const quantiles = Array.from({ length: 101 }, (_, percent) => (percent === 100 ? 1e6 : percent));
  const svg = distributionPlot(
    "unicast",
    "latency, ms",
    [1, 2].map((seed) => ({ name: `seed ${seed}`, quantiles })),
  );
  const lines = linesOf(svg);
  expect(lines).toHaveLength(2);
  expect(lines[0]?.trim().split(" ")).toHaveLength(100);
  expect(svg).toContain(">80 %</text>");
  expect(svg).not.toContain("1,000,000");
});
