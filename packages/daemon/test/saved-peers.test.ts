import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { savedPeersFile } from "../src/index.ts";

const peer = (seed: number, ip: string) => ({
  id: identityFromSeed(new Uint8Array(32).fill(seed)).id,
  address: { ip, port: 4000 + seed },
});

let directory: string;
const file = () => savedPeersFile({ path: (name) => join(directory, name) });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "starling-peers-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("nothing is saved at first; what is written last is read, in its order, and nobody else can", async () => {
  expect(await file().read()).toEqual([]);
  const peers = [peer(1, "192.0.2.1"), peer(2, "2001:db8::2")];
  const saved = file();
  await Promise.all([saved.write([peer(3, "192.0.2.3")]), saved.write(peers)]);
  expect(await file().read()).toEqual(peers);
  expect((await stat(join(directory, "peers"))).mode & 0o777).toBe(0o600);
});

test("lines that are no contact are left out, and a file half written before does not stand in the way", async () => {
  await file().write([peer(1, "192.0.2.1")]);
  const whole = await readFile(join(directory, "peers"), "utf8");
  await writeFile(join(directory, "peers"), `\nnonsense\n${whole}${whole.slice(0, 40)}`);
  expect(await file().read()).toEqual([peer(1, "192.0.2.1")]);
  await writeFile(join(directory, "peers.new"), "half");
  await file().write([peer(2, "192.0.2.2")]);
  expect(await file().read()).toEqual([peer(2, "192.0.2.2")]);
});

test("cut off or with a flipped bit anywhere it gives what is whole, and no contact that was never saved", async () => {
  const peers = [peer(1, "192.0.2.1"), peer(2, "2001:db8::2"), peer(3, "192.0.2.3")];
  await file().write(peers);
  const path = join(directory, "peers");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at += 2) {
    await writeFile(path, whole.subarray(0, at));
    const kept = await file().read();
    expect(kept).toEqual(peers.slice(0, kept.length));
    for (const bit of [0, 3, 7]) {
      const flipped = Uint8Array.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      await writeFile(path, flipped);
      const left = await file().read();
      expect(left.length).toBeGreaterThanOrEqual(1);
      for (const each of left) expect(peers).toContainEqual(each);
    }
  }
});
