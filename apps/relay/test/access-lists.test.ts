import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { readAccessLists } from "../src/access-lists.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-lists-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [alice, bob] = [1, 2].map((seed) => identityFromSeed(new Uint8Array(32).fill(seed)).id) as [
  ReturnType<typeof identityFromSeed>["id"],
  ReturnType<typeof identityFromSeed>["id"],
];
let files = 0;
function file(text: string): string {
  files += 1;
  const path = join(folder, `${files}`);
  writeFileSync(path, text);
  return path;
}
const lists = (allow: string | undefined, deny: string | undefined) =>
  readAccessLists({
    allow: allow === undefined ? undefined : file(allow),
    deny: deny === undefined ? undefined : file(deny),
  });

describe("who may connect", () => {
  test("without lists everybody", () => {
    const { admitsId, admitsIp, counts } = lists(undefined, undefined);
    expect([admitsId(alice), admitsIp("192.0.2.1"), admitsIp("2001:db8::1")]).toEqual([true, true, true]);
    expect(counts).toEqual({ allow: 0, deny: 0 });
  });

  test("denied ids and blocks; comments and empty lines are neither", () => {
    const { admitsId, admitsIp, counts } = lists(
      undefined,
      `# bad company\n\n${alice} # a note\n192.0.2.0/24\n203.0.113.7\n2001:db8::/32\n`,
    );
    expect([admitsId(alice), admitsId(bob)]).toEqual([false, true]);
    const ips = ["192.0.2.0", "192.0.2.255", "192.0.3.0", "203.0.113.7", "203.0.113.8", "2001:db8::5", "2001:db9::5"];
    expect(ips.map(admitsIp)).toEqual([false, false, true, false, true, false, true]);
    // The second time from memory.
    expect(ips.map(admitsIp)).toEqual([false, false, true, false, true, false, true]);
    expect(counts).toEqual({ allow: 0, deny: 4 });
  });

  test("allowed blocks limit addresses, allowed ids limit ids, and what is denied stays so", () => {
    const blocks = lists("198.51.100.0/24\n", "198.51.100.9\n");
    expect(["198.51.100.1", "198.51.100.9", "192.0.2.1"].map(blocks.admitsIp)).toEqual([true, false, false]);
    expect(blocks.admitsId(bob)).toBe(true);
    const ids = lists(`${alice}\n${bob}\n`, `${bob}\n`);
    expect([ids.admitsId(alice), ids.admitsId(bob)]).toEqual([true, false]);
    expect(ids.admitsIp("192.0.2.1")).toBe(true);
  });

  test("a block of everything", () => {
    const { admitsIp } = lists(undefined, "0.0.0.0/0\n");
    expect(["0.0.0.1", "192.0.2.1", "255.1.1.1", "2001:db8::1"].map(admitsIp)).toEqual([false, false, false, true]);
    expect(["192.0.2.1", "2001:db8::1", "fe80::1"].map(lists(undefined, "::/0").admitsIp)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("more addresses than are remembered", () => {
    const { admitsIp } = lists(undefined, "10.1.0.0/16\n");
    for (let i = 0; i < 10_000; i += 1) expect(admitsIp(`10.${i % 3}.${i >> 8}.${i & 255}`)).toBe(i % 3 !== 1);
  });

  test.each([
    "192.0.2.0/33",
    "192.0.2/24",
    "example.org",
    "ab".repeat(31),
    "2001:db8::/129",
    "192.0.2.0/",
    "192.0.2.0/8/8",
  ])("%s is neither: its line is named", (line) => {
    expect(() => lists(undefined, `192.0.2.0/24\n${line}\n`)).toThrow(expect.objectContaining({ code: "E_LIST" }));
    expect(() => lists(undefined, `192.0.2.0/24\n${line}\n`)).toThrow(/:2: /);
  });

  test("a file that is not there", () => {
    expect(() => readAccessLists({ allow: join(folder, "none"), deny: undefined })).toThrow(/cannot be read/);
  });
});
