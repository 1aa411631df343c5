import { expect, test } from "@jest/globals";
import type { Log } from "@starling/daemon";
import type { LinkEvent } from "@starling/local-client/server";
import { contactOf } from "../src/contact.ts";
import { createLinkLog } from "../src/link-events.ts";

const ID = "a".repeat(64);

test("a peer that stays away is a warning once, until it has been there", () => {
  const lines: string[] = [];
  const level = (name: string) => (_: object, message: string) => lines.push(`${name}: ${message}`);
  const log = { debug: level("debug"), info: level("info"), warn: level("warn") } as unknown as Log;
  const logLink = createLinkLog(log, () => 0);
  const happens = (change: LinkEvent["change"], peer = ID) =>
    logLink({ type: "link", link: "session", change, peer, address: "192.0.2.1:4100", reason: null, at: 0 });
  for (const change of ["unanswered", "unanswered", "opened", "unanswered"] as const) happens(change);
  happens("unanswered", "b".repeat(64));
  expect(lines).toEqual([
    "warn: no answer; it is tried again",
    "debug: still no answer",
    "info: link opened",
    "warn: no answer; it is tried again",
    "warn: no answer; it is tried again",
  ]);
});

test("a contact names what is announced, what is listened at, or an address of this machine where that is all of them", () => {
  expect(contactOf(ID, "0.0.0.0:4100", [{ ip: "198.51.100.7", port: 4000 }])).toBe(`${ID}@198.51.100.7:4000`);
  expect(contactOf(ID, "192.0.2.1:4100", [])).toBe(`${ID}@192.0.2.1:4100`);
  expect(contactOf(ID, "0.0.0.0:4100", [])).toMatch(/^a{64}@(?!0\.0\.0\.0)\d+\.\d+\.\d+\.\d+:4100$/);
});
