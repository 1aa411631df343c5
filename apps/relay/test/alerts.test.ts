import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

test("alert rules are for relays alone, though nodes have most of these metrics too", () => {
  const rules = readFileSync(new URL("../packaging/alerts.yaml", import.meta.url), "utf8");
  const expressions = rules.split("\n").filter((line) => line.trim().startsWith("expr:"));
  expect(expressions.length).toBeGreaterThan(5);
  // By the job's name, or joined with what only a relay has.
  for (const expression of expressions)
    expect(expression).toMatch(/job="starling-relay"|starling_draining|starling_limit/);
});
