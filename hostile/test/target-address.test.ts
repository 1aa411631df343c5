import { describe, expect, test } from "@jest/globals";
import { identityFromSeed } from "@starling/crypto-identity";
import { readTarget } from "../src/target-address.ts";

const { id } = identityFromSeed(new Uint8Array(32).fill(1));

describe("what the kit may be pointed at", () => {
  test.each([
    "127.0.0.1:4100",
    "127.9.9.9:1",
    "[::1]:4100",
    "192.0.2.7:4100",
    "198.51.100.1:9",
    "203.0.113.66:53",
    "[2001:db8::1]:1",
  ])("%s is somebody's own machine or a laboratory", (target) => {
    expect(readTarget(target, id)).toMatchObject({ id });
  });

  test.each([
    "128.0.0.1:4100",
    "126.255.255.255:4100",
    "10.0.0.1:4100",
    "192.168.1.1:4100",
    "0.0.0.0:4100",
    "8.8.8.8:53",
    "192.0.3.1:4100",
    "203.0.114.1:4100",
    "[2001:db9::1]:1",
    "[fe80::1]:1",
    "[::]:1",
  ])("%s may be anybody's, and is refused", (target) => {
    expect(readTarget(target, id)).toMatch("nothing was sent");
  });

  test.each(["localhost:4100", "127.0.0.1.example:4100", "127.0.0.1", "", "[::ffff:8.8.8.8]:53"])(
    "'%s' is no address, and is not looked up",
    (target) => {
      expect(typeof readTarget(target, id)).toBe("string");
    },
  );

  test.each([undefined, "", "00".repeat(32), id.toUpperCase()])("the id '%s' is none", (wrong) => {
    expect(readTarget("127.0.0.1:4100", wrong)).toMatch("--id");
  });
});
