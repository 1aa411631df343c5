import { expect, test } from "@jest/globals";
import { wordsOf } from "../src/network.ts";

test("the page says why it has no connection, and what to do where trying again is no use", () => {
  const why = "256 programs are connected; end one of them";
  expect(wordsOf({ state: "lost", why, isFinal: false })).toBe(`Not connected: ${why}. Trying again.`);
  expect(wordsOf({ state: "lost", why: "the daemon refused the token", isFinal: true })).toContain("#token");
});
