import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

// `npm run bench -- daemon` does the same with 200.
test("ten kills under traffic: the same keys, nothing with a receipt lost, nothing delivered twice", () => {
  const program = fileURLToPath(new URL("./support/kills.ts", import.meta.url));
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, program, "10", "7"], { encoding: "utf8" });
  const { problems, receipted, kills } = JSON.parse(stdout || JSON.stringify({ problems: [stderr] }));
  expect(problems).toEqual([]);
  expect(kills).toBe(10);
  expect(receipted).toBeGreaterThan(50);
}, 120_000);
