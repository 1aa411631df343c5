import { describe, expect, test } from "@jest/globals";
import { atLeast, atMost, isKept } from "../src/attack.ts";
import type { Result } from "../src/run-attack.ts";
import { rows } from "../src/table.ts";

describe("a limit", () => {
  test("is kept at its edge, and not beyond it", () => {
    expect([1, 1.01].map((value) => isKept(atMost("S2", "x", value, 1)))).toEqual([true, false]);
    expect([0.9, 0.89].map((value) => isKept(atLeast("S3", "x", value, 0.9)))).toEqual([true, false]);
  });

  test("is broken by what could not be measured", () => {
    expect(isKept(atMost("S2", "x", Number.NaN, 1))).toBe(false);
    expect(isKept(atLeast("S2", "x", Number.NaN, 1))).toBe(false);
  });
});

test("a broken one stands in the table, also where columns tell of it", () => {
  const talk = { sent: 10, delivered: 5, doubled: 0, medianMs: 1, p95Ms: 2 };
  const check = (goal: string, isKept: boolean) => ({ ...atMost(goal, "growth", 40, 32, "MB"), isKept });
  const result: Result = {
    attack: "garbage",
    does: "",
    seconds: 1,
    badCount: 1,
    amplification: undefined,
    cpuPerBadUs: 3,
    growthMb: 40,
    unattacked: talk,
    attacked: talk,
    checks: [check("S3", true), check("honest", true), check("memory", false)],
    isKept: false,
    note: undefined,
  };
  const lines = rows(result).trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain("50 %");
  expect(lines[1]).toContain("**broken**");
});
