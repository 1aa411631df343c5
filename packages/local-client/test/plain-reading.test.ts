// What programs ask and are told most is read by hand; the schemas say the same, and this holds the one to the other.
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { receiptResult } from "../src/answers.ts";
import { decodeBase64, encodeBase64 } from "../src/base64.ts";
import { readEvent } from "../src/events.ts";
import { DEPTH_MAX } from "../src/limits.ts";
import { parseLine } from "../src/line-framing.ts";
import { readSubmit, submitParams } from "../src/requests.ts";

const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  0,
  1.5,
  -1,
  600_001,
  "",
  "x".repeat(200),
  "channel",
  {},
  [],
  true,
);
/** Good in most cases, else every other one would fall by several fields at once. */
const mostly = (good: fc.Arbitrary<unknown>) => fc.oneof({ arbitrary: good, weight: 12 }, odd);
const content = fc.uint8Array({ maxLength: 40 }).map((bytes) => encodeBase64(bytes));

test("a submission is read by hand only where its schema reads the same", () => {
  const fields = {
    to: mostly(fc.string({ maxLength: 70 })),
    content: mostly(content),
    topic: mostly(fc.string({ maxLength: 50, unit: "binary" })),
    via: mostly(fc.constantFrom("any", "channel", "relay")),
    timeoutMs: mostly(fc.integer({ min: 1, max: 600_000 })),
    messageId: mostly(fc.constant("0123456789abcdef0123456789abcdef")),
  };
  const extra = fc.constantFrom({}, {}, {}, {}, { other: 1 }, JSON.parse('{"__proto__":{"via":"relay"}}'));
  let read = 0;
  fc.assert(
    fc.property(fc.record(fields, { requiredKeys: ["to", "content"] }), extra, (known, more) => {
      // As JSON gives it: a field that is undefined is not there.
      const params = JSON.parse(JSON.stringify({ ...known, ...more }));
      const byHand = readSubmit(params);
      const bySchema = submitParams.safeParse(params);
      expect(byHand !== undefined).toBe(bySchema.success);
      if (byHand === undefined) return;
      read += 1;
      expect(byHand).toEqual(bySchema.data);
    }),
    { seed: 11, numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(500);
  for (const params of [undefined, null, 7, "to", []]) expect(readSubmit(params)).toBeUndefined();
});

test("a message that is told is read by hand and by the schema alike", () => {
  const event = {
    subscription: "s1",
    type: "message",
    from: "a",
    messageId: "b",
    topic: "",
    content: "AAEC",
    path: "relayed",
    receivedAt: 1,
    redelivered: false,
  };
  expect(readEvent({ ...event, later: "field" })).toEqual({ ...event, content: new Uint8Array([0, 1, 2]) });
  for (const name of Object.keys(event)) {
    expect(readEvent({ ...event, [name]: null })).toBeUndefined();
    const { [name as "from"]: _, ...rest } = event;
    expect(readEvent(rest)).toBeUndefined();
  }
  expect(readEvent({ ...event, content: "AAE" })).toBeUndefined();
  expect(readEvent({ ...event, path: "post" })).toBeUndefined();
});

test("a receipt has all of its fields, and may have more", () => {
  const receipt = { messageId: "a", path: "channel", hops: 1, elapsedMs: 2.5 };
  expect(receiptResult.safeParse({ ...receipt, later: 1 }).success).toBe(true);
  for (const bad of [{ messageId: 1 }, { path: "post" }, { hops: -1 }, { hops: 0.5 }, { elapsedMs: "1" }]) {
    expect(receiptResult.safeParse({ ...receipt, ...bad }).success).toBe(false);
  }
});

test("base64 is read in its one spelling only", () => {
  const strict = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  const letters = fc.constantFrom(..."AQgw_-+/= \n\u00e9z9".split(""));
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 9 }), (parts) => {
      const text = parts.join("");
      const bytes = decodeBase64(text);
      if (!strict.test(text)) expect(bytes).toBeUndefined();
      if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(text);
    }),
    { seed: 12, numRuns: 3000 },
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)));
});

test("few brackets or many, the depth that is taken is the same", () => {
  const deep = (depth: number, beside: number) =>
    Buffer.from(`[${"[],".repeat(beside)}${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}]`);
  for (const beside of [0, 1, 40]) {
    expect(parseLine(deep(DEPTH_MAX, beside)).ok).toBe(true);
    expect(parseLine(deep(DEPTH_MAX + 1, beside))).toMatchObject({ ok: false, code: "E_TOO_DEEP" });
  }
  expect(parseLine(Buffer.from(JSON.stringify({ text: "[{".repeat(500) }))).ok).toBe(true);
});
