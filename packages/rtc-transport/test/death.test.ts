// A file of its own, beside which the others run: it waits for most of half a minute.
import { expect, test } from "@jest/globals";
import { eventually, open, TestHub } from "./support.ts";

test("both ends notice within 25 s that the other is gone without a word, and leave no socket", async () => {
  const [a, b] = [new TestHub(), new TestHub()];
  await open(a, b);
  const started = performance.now();
  b.hub.sever("c");
  for (const end of [a, b]) expect((await end.seen("closed", "c", 26_000)).reason).toBe("failed");
  expect(performance.now() - started).toBeGreaterThan(15_000);
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  const isFree = () => (process.getActiveResourcesInfo().includes("UDPWrap") ? undefined : true);
  await eventually(isFree, "no socket", 1000);
}, 30_000);
