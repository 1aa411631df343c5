// The short form of `npm run fuzz`, as a program: a few thousand mutants for each decoder of each package, from one seed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

type Report = {
  readonly name: string;
  readonly runs: number;
  readonly accepted: number;
  readonly failure?: { what: string };
};

const main = fileURLToPath(new URL("../../../tools/fuzz/main.mjs", import.meta.url));
const fuzz = (...args: string[]) =>
  spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", main, ...args],
    {
      encoding: "utf8",
      timeout: 110_000,
    },
  );

test("no mutant breaks a promise of a decoder", () => {
  const done = fuzz("--seed", "7", "--total", "0", "--each", "1500", "--json");
  const { targets } = JSON.parse(done.stdout) as { targets: Report[] };
  expect(targets.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(targets.map(({ name }) => name.replace(/:.*/, ""))).toEqual(
    expect.arrayContaining(["crypto-identity", "rtc-transport", "session", "wire-protocol"]),
  );
  // Mutants that only ever bounce off the first check would prove little; what is authenticated has to bounce.
  const deep = targets.filter(({ name }) => name.startsWith("wire-protocol"));
  expect(deep.length).toBeGreaterThan(25);
  for (const { name, runs, accepted } of deep) {
    expect({ name, runs: runs >= 1500, reached: accepted > 20 }).toEqual({ name, runs: true, reached: true });
  }
  expect(done.status).toBe(0);
}, 120_000);

test("one seed, one run", () => {
  const [first, second] = [0, 1].map(() => {
    const done = fuzz("--seed", "9", "--total", "0", "--each", "300", "--target", "message", "--json");
    return (JSON.parse(done.stdout) as { targets: Report[] }).targets.map(({ name, accepted }) => ({ name, accepted }));
  });
  expect(first).toEqual(second);
}, 60_000);
