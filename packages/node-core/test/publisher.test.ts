import { beforeEach, describe, expect, test } from "@jest/globals";
import { Publisher, type PublisherOutput } from "../src/publisher.ts";
import { at, counterRandom, FLOOR, identity } from "./support.ts";

const nonce = new Uint8Array(8);

let price: number;
let abroad: boolean;
let publisher: Publisher;

beforeEach(() => {
  price = 1;
  abroad = false;
  publisher = new Publisher({
    identity: identity(1),
    network: "test",
    random: counterRandom(),
    floor: () => FLOOR,
    price: () => price,
    isAbroad: () => abroad,
  });
});

const types = (outputs: readonly PublisherOutput[]) => outputs.map(({ type }) => type);

/** Signed and minted at 0; the job's name. */
function goesOut(id = "own"): string {
  const content = new TextEncoder().encode(id);
  const [mint] = publisher.broadcast({ type: "broadcast", id, topic: "t", content }, at(0));
  if (mint?.type !== "mint") throw new Error("no stamp is asked for");
  expect(types(publisher.minted(mint.job, nonce, at(0)))).toEqual(["publish", "broadcast-sent"]);
  return mint.job;
}

describe("a broadcast of one's own", () => {
  test("one that a neighbour has named is left alone", () => {
    goesOut();
    abroad = true;
    expect(publisher.nextDeadline()).toBe(1500);
    expect(publisher.tick(at(1500))).toEqual([]);
    expect(publisher.nextDeadline()).toBeNull();
  });

  test("sixty-four are minted at a time, and who asks for one more is told to wait", () => {
    const content = new Uint8Array(1);
    const ask = (id: string) => publisher.broadcast({ type: "broadcast", id, topic: "t", content }, at(0));
    const minted = Array.from({ length: 64 }, (_, i) => ask(`${i}`));
    expect(minted.flatMap(types)).toEqual(Array.from({ length: 64 }, () => "mint"));
    expect(ask("more")).toMatchObject([{ type: "failed", id: "more", code: "E_QUOTA" }]);
    const [first] = minted[0] ?? [];
    if (first?.type !== "mint") throw new Error("no stamp is asked for");
    publisher.minted(first.job, nonce, at(0));
    publisher.tick(at(10_000));
    expect(types(ask("one more"))).toEqual(["mint"]);
  });

  test("nobody names it: prices are asked, and where they are the floor nothing more is done", () => {
    goesOut();
    expect(publisher.tick(at(1499))).toEqual([]);
    expect(types(publisher.tick(at(1500)))).toEqual(["ask-prices"]);
    expect(publisher.tick(at(2500))).toEqual([]);
    expect(publisher.nextDeadline()).toBeNull();
  });

  test("nobody names it and they ask for more: it is minted again at what they ask, and goes out once more with its old id", () => {
    const job = goesOut();
    publisher.tick(at(1500));
    price = 10;
    const [mint] = publisher.tick(at(2500));
    expect(mint).toMatchObject({ type: "mint", job, effort: Math.ceil(11.5 * FLOOR) });
    const [publish, ...others] = publisher.minted(job, nonce, at(2600));
    expect(publish).toMatchObject({ type: "publish", isAgain: true, publication: { effort: Math.ceil(11.5 * FLOOR) } });
    // The program has been told once.
    expect(others).toEqual([]);
    expect(publisher.nextDeadline()).toBe(4100);
  });

  test("shed at what is asked: the bid is raised by its own step, eight times in all", () => {
    const job = goesOut();
    price = 1.01;
    const efforts: number[] = [];
    for (let now = 1500; publisher.nextDeadline() !== null; now += 1000) {
      for (const output of publisher.tick(at(now))) {
        if (output.type !== "mint") continue;
        efforts.push(output.effort);
        expect(types(publisher.minted(job, nonce, at(now)))).toEqual(["publish"]);
      }
      expect(now).toBeLessThan(60_000);
    }
    expect(efforts).toHaveLength(7);
    for (const [i, effort] of efforts.entries()) expect(effort).toBe(Math.ceil(1.15 * 1.6 ** (i + 1) * FLOOR));
  });

  test("what cannot be minted again is not reported as failed: it had gone out", () => {
    const job = goesOut();
    publisher.tick(at(1500));
    price = 10;
    publisher.tick(at(2500));
    expect(publisher.mintFailed(job)).toEqual([]);
    expect(publisher.nextDeadline()).toBeNull();
  });

  test("two that are alike and of one millisecond are two broadcasts, each with its outcome", () => {
    expect(goesOut("own")).not.toBe(goesOut("own"));
    const wish = { type: "broadcast", topic: "t", content: new Uint8Array(3) } as const;
    const mints = ["a", "b"].flatMap((id) => publisher.broadcast({ ...wish, id }, at(5)));
    const sent = mints.flatMap((mint) => (mint.type === "mint" ? publisher.minted(mint.job, nonce, at(6)) : []));
    expect(sent.flatMap((output) => (output.type === "broadcast-sent" ? [output.id] : []))).toEqual(["a", "b"]);
  });

  test("many that nobody names ask for prices once a second; the one that is out longest is no longer looked after", () => {
    for (let i = 0; i < 70; i += 1) goesOut(`${i}`);
    expect(types(publisher.tick(at(1500)))).toEqual(["ask-prices"]);
    price = 10;
    expect(types(publisher.tick(at(2500)))).toEqual(Array(64).fill("mint"));
  });
});
