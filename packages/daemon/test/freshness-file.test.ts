import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { freshnessFile } from "../src/index.ts";

const BOUND = 1_800_000_000_000;
const WALL = BOUND - 20_000;

let directory: string;
const file = () => freshnessFile({ path: (name) => join(directory, name) });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "starling-freshness-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("nothing is saved at first; what is written last is read, rounded up, and nobody else can", async () => {
  expect(await file().read(WALL)).toBeUndefined();
  const kept = file();
  await Promise.all([kept.write(BOUND - 5, WALL), kept.write(BOUND + 0.25, WALL)]);
  expect(await file().read(WALL)).toBe(BOUND + 1);
  expect((await stat(join(directory, "freshness"))).mode & 0o777).toBe(0o600);
});

test("a file half written before does not stand in the way", async () => {
  await writeFile(join(directory, "freshness.new"), "half");
  await file().write(BOUND, WALL);
  expect(await file().read(WALL)).toBe(BOUND);
});

test("it moves on with the machine's clock, and stays where that was set back", async () => {
  await file().write(BOUND, WALL);
  expect(await file().read(WALL + 70_000.5)).toBe(BOUND + 70_000);
  expect(await file().read(WALL - 70_000)).toBe(BOUND);
});

test("cut off or with a flipped bit anywhere it gives nothing, never another time", async () => {
  await file().write(BOUND, WALL);
  const path = join(directory, "freshness");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at += 1) {
    await writeFile(path, whole.subarray(0, at));
    expect(await file().read(WALL)).toBeUndefined();
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Uint8Array.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      await writeFile(path, flipped);
      expect(await file().read(WALL)).toBeUndefined();
    }
  }
});
