import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  generateIdentity,
  initiateHandshake,
  type NodeId,
  openBox,
  protocolPrologue,
  respondHandshake,
  sealBox,
  sign,
  verify,
} from "@starling/crypto-identity";
import { BrowserPage } from "./browser-page.ts";

const random = (sizeBytes: number): Uint8Array => randomBytes(sizeBytes);
const prologue = protocolPrologue("browser", "test");
const identity = generateIdentity(random);
let page: BrowserPage;
let other: NodeId;

beforeAll(async () => {
  page = await BrowserPage.open("crypto-identity");
  other = await page.call<NodeId>("id", null);
}, 30_000);
afterAll(() => page.close());

describe("crypto-identity in Chromium beside Node", () => {
  test("boxes open both ways, and a flipped bit is refused", async () => {
    const sealed = Uint8Array.from(
      await page.call<number[]>("seal", { recipient: identity.id, text: "from the page" }),
    );
    const opened = openBox({ identity, prologue, box: sealed });
    expect([opened?.sender, Buffer.from(opened?.plaintext ?? []).toString()]).toEqual([other, "from the page"]);
    const box = sealBox({ identity, recipient: other, prologue, plaintext: Buffer.from("from Node"), random });
    expect(await page.call("open", [...box])).toEqual({ sender: identity.id, text: "from Node" });
    box[50] = (box[50] ?? 0) ^ 1;
    expect(await page.call("open", [...box])).toBeNull();
  });

  test("handshakes complete both ways, with one handshake hash and keys that fit", async () => {
    const initiation = initiateHandshake({ identity, responder: other, prologue, payload: Uint8Array.of(5), random });
    const answer = await page.call<Record<"message" | "handshakeHash" | "data", number[]>>("respond", [
      ...initiation.message,
    ]);
    const finished = initiation.finish(Uint8Array.from(answer.message));
    expect([...(finished?.keys.handshakeHash ?? [])]).toEqual(answer.handshakeHash);
    expect(finished?.payload).toEqual(Uint8Array.of(5));
    const data = finished?.keys.receive.open(7, new Uint8Array(0), Uint8Array.from(answer.data));
    expect([...(data ?? [])]).toEqual([1, 2, 3]);

    const message = Uint8Array.from(await page.call<number[]>("initiate", { responder: identity.id }));
    const read = respondHandshake({ identity, prologue, message });
    expect(read?.initiator).toBe(other);
    const response = read?.respond(new Uint8Array(0), random);
    const hash = await page.call("initiate", { responder: identity.id, message2: [...(response?.message ?? [])] });
    expect(hash).toEqual([...(response?.keys.handshakeHash ?? [])]);
  });

  test("signatures verify both ways", async () => {
    const signature = Uint8Array.from(await page.call<number[]>("sign", "signed in the page"));
    expect(verify({ id: other, domain: "test", message: Buffer.from("signed in the page"), signature })).toBe(true);
    const mine = sign({ identity, domain: "test", message: Buffer.from("signed in Node"), random });
    const claim = { id: identity.id, text: "signed in Node", signature: [...mine] };
    expect(await page.call("verify", claim)).toBe(true);
    expect(await page.call("verify", { ...claim, text: "signed in nodE" })).toBe(false);
  });

  test("errors have the same codes", async () => {
    expect(await page.call("misuse", "00".repeat(32))).toBe("E_BAD_ID");
  });

  test("the page complained of nothing", () => {
    expect(page.complaints).toEqual([]);
    expect(page.bundleBytes).toBeLessThan(120_000);
  });
});
