import { expect, test } from "@jest/globals";
import { parseNodeId } from "@starling/crypto-identity/node-id";
import type { LinkChange } from "@starling/node-core";
import { PeerEvents } from "../src/peer-events.ts";

const PEER = parseNodeId(`09${"00".repeat(31)}`);
const ADDRESS = { ip: "192.0.2.1", port: 4100 };

test("a peer appears with its first link and is gone with its last, whatever happens between", () => {
  const events = new PeerEvents();
  const told = (change: LinkChange) => events.onLink(change, 7)?.change;
  const opened = (link: "session" | "channel") => told({ type: "link-opened", link, peer: PEER, address: ADDRESS });
  const closed = (link: "session" | "channel", reason: string) =>
    told({ type: "link-closed", link, peer: PEER, reason });
  expect(opened("session")).toBe("appeared");
  // A new life of the peer opens the same link again.
  expect(opened("session")).toBeUndefined();
  expect(opened("channel")).toBeUndefined();
  expect(closed("session", "timeout")).toBeUndefined();
  expect(closed("channel", "replaced")).toBeUndefined();
  expect(opened("channel")).toBeUndefined();
  expect(told({ type: "link-unanswered", peer: PEER, address: ADDRESS })).toBeUndefined();
  expect(closed("channel", "bye")).toBe("gone");
  expect(opened("channel")).toBe("appeared");
});
