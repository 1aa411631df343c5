import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseNodeId } from "@starling/crypto-identity";
import { bytesToHex, channelLabel, encodeEnvelope, envelopeDigest, envelopeId } from "@starling/wire-protocol";
import { BrowserPage } from "./browser-page.ts";

const A = "def10b4e0591b6eb9ddcd71a1c9640575bdd53b22ed521e1628f4dd674c28733";
const B = "d85e67f8ecedea1b0309fe451bb136903d04a70414ffb50b246f4556bc337c0a";
let page: BrowserPage;

beforeAll(async () => {
  page = await BrowserPage.open("wire-protocol");
}, 30_000);
afterAll(() => page.close());

describe("wire-protocol in Chromium beside Node", () => {
  test("the label of a channel is the same, seen from either end", async () => {
    const label = "d74335d4c77ab38f9dd17c6bb1c569094b65dcf2";
    expect(channelLabel(parseNodeId(A), parseNodeId(B))).toBe(label);
    expect(await page.call("label", [A, B])).toBe(label);
    expect(await page.call("label", [B, A])).toBe(label);
  });

  test("the digest and the id of an envelope are the same", async () => {
    const bytes = encodeEnvelope({
      recipient: parseNodeId(A),
      lock: new Uint8Array(32).fill(1),
      timestampMs: 1_790_000_000_000,
      effort: 2 ** 48 - 1,
      nonce: new Uint8Array(8).fill(2),
      sealedBody: Uint8Array.from({ length: 512 }, (_, i) => i % 251),
    });
    const digest = envelopeDigest("browser", bytes);
    const here = { digest: bytesToHex(digest), id: envelopeId(digest) };
    expect(await page.call("envelope", { network: "browser", bytes: [...bytes] })).toEqual(here);
  });

  test("the page complained of nothing", () => {
    expect(page.complaints).toEqual([]);
  });
});
