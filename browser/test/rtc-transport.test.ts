import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type CloseReason, createRtcHub } from "@starling/rtc-transport";
import { type Description, decodeDescription, encodeDescription } from "@starling/wire-protocol";
import { digestOf, exchanged } from "../pages/rtc-messages.ts";
import { BrowserPage } from "./browser-page.ts";

const LABEL = "00112233445566778899aabbccddeeff00112233";

let page: BrowserPage;
const described = new Map<string, (description: Description) => void>();
const opened = new Map<string, () => void>();
const received = new Map<string, (message: Uint8Array) => void>();
const closed = new Map<string, (reason: CloseReason) => void>();
// Its default addresses: Chromium hides its own behind mDNS names, which a description leaves out, so that the hub learns where it
// is from its first check.
const hub = createRtcHub({
  listener: {
    described: (channel, description) => described.get(channel)?.(description),
    candidate() {},
    opened: (channel) => opened.get(channel)?.(),
    message: (channel, bytes) => received.get(channel)?.(bytes),
    closed: (channel, reason) => closed.get(channel)?.(reason),
  },
});

type Described = { readonly bytes: number[]; readonly sdpChars: number };

beforeAll(async () => {
  await hub.warmUp();
  page = await BrowserPage.open("rtc-transport");
}, 60_000);
afterAll(async () => {
  await page.close();
  await hub.shutdown();
});

const once = <T>(waiting: Map<string, (value: T) => void>, channel: string): Promise<T> =>
  new Promise((resolve) => waiting.set(channel, resolve));

/** The next messages of a channel, when so many have come. */
const arrivals = (channel: string, count: number): Promise<Uint8Array[]> =>
  new Promise((resolve) => {
    const got: Uint8Array[] = [];
    received.set(channel, (message) => {
      got.push(message);
      if (got.length === count) resolve(got);
    });
  });

function read({ bytes, sdpChars }: Described): Description {
  // What of it Chromium cannot hide fits into a sixth.
  expect(bytes.length * 6).toBeLessThanOrEqual(sdpChars);
  const description = decodeDescription(Uint8Array.from(bytes));
  if (!description.ok) throw new Error(description.reason);
  return description.value;
}

/** 1,000 messages both ways, then the hub closes. */
async function exchange(channel: string, isOpen: Promise<unknown>): Promise<void> {
  const messages = exchanged();
  const arrived = arrivals(channel, messages.length);
  const back = page.call<string>("exchange", { name: channel, label: LABEL });
  await isOpen;
  for (const message of messages) {
    while (hub.send(channel, message) === "full") await hub.room(channel);
  }
  expect(await back).toBe(await digestOf([Buffer.from(LABEL), ...messages]));
  expect(await digestOf(await arrived)).toBe(await digestOf(messages));
}

describe("a hub and Chromium's own RTCPeerConnection", () => {
  test("that offers exchange 1,000 messages both ways, and Chromium hears of the end", async () => {
    const answered = once(described, "1");
    const isOpen = once(opened as Map<string, (value: unknown) => void>, "1");
    const offer = read(await page.call<Described>("offer", "1"));
    hub.accept("1", LABEL, offer);
    const answer = [...encodeDescription(await answered)];
    await page.call("answered", { name: "1", answer });
    await exchange("1", isOpen);
    hub.close("1");
    expect(await page.call("ended", "1")).toBe(true);
  }, 30_000);

  test("that answers exchange 1,000 messages both ways, and the hub hears of the end", async () => {
    const offered = once(described, "2");
    const isOpen = once(opened as Map<string, (value: unknown) => void>, "2");
    const ended = once(closed, "2");
    hub.offer("2", LABEL);
    const offer = [...encodeDescription(await offered)];
    hub.answer("2", read(await page.call<Described>("answer", { name: "2", offer })));
    await exchange("2", isOpen);
    await page.call("close", "2");
    expect(await ended).toBe("remote");
  }, 30_000);

  test("the page complained of nothing", () => {
    expect(page.complaints).toEqual([]);
    expect([...hub.stats().dropped.keys()].filter((reason) => reason === "sctp")).toEqual([]);
  });
});
