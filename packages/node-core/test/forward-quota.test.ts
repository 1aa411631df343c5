import { describe, expect, test } from "@jest/globals";
import { DEFAULT_FORWARD_LIMITS, ForwardQuota } from "../src/forward-quota.ts";
import { identity } from "./support.ts";

type Id = ReturnType<typeof identity>["id"];

const [GREEDY, MODEST, OTHER, BOB] = [1, 2, 3, 4].map((number) => identity(number).id) as [Id, Id, Id, Id];
const rate = (messagesPerSecond: number, bytesPerSecond = 1e9) => ({ messagesPerSecond, bytesPerSecond });

describe("the quota of what is carried", () => {
  test("each limit refuses by its own name, and what is refused takes nothing from the others", () => {
    const quota = new ForwardQuota({ link: rate(10, 1e6), recipient: rate(4), total: rate(1, 1500) }, 0);
    const verdicts = Array.from({ length: 9 }, () => quota.admit(GREEDY, BOB, 100, 0));
    // One link has half of the burst; the rest is for others.
    expect(verdicts).toEqual([...new Array(4).fill("admitted"), ...new Array(5).fill("recipient")]);
    expect(quota.admit(OTHER, BOB, 100, 0)).toBe("admitted");
    const more = Array.from({ length: 40 }, () => quota.admit(GREEDY, undefined, 100, 0));
    expect(more.filter((verdict) => verdict === "admitted")).toHaveLength(10);
    expect(more.at(-1)).toBe("total");
    const others = Array.from({ length: 30 }, () => quota.admit(OTHER, undefined, 100, 10_000));
    expect(others.filter((verdict) => verdict === "admitted")).toHaveLength(15);
    expect(quota.admit(MODEST, undefined, 2_000_001, 10_000)).toBe("link");
  });

  test.each(["total", "recipient"] as const)("two that ask for all of %s leave the others their share", (limit) => {
    const quota = new ForwardQuota({ ...DEFAULT_FORWARD_LIMITS, link: rate(1e6), [limit]: rate(1_200, 600_000) }, 0);
    let offered = 0;
    let served = 0;
    for (let ms = 0; ms < 10_000; ms += 1) {
      for (const greedy of [GREEDY, OTHER]) for (let i = 0; i < 10; i += 1) quota.admit(greedy, BOB, 500, ms);
      if (ms % 4 !== 0) continue;
      offered += 1;
      if (quota.admit(MODEST, BOB, 500, ms) === "admitted") served += 1;
    }
    expect(served / offered).toBeGreaterThanOrEqual(0.99);
  });

  test("a link alone may have all of it", () => {
    const quota = new ForwardQuota({ ...DEFAULT_FORWARD_LIMITS, link: rate(1e6), total: rate(1, 500_000) }, 0);
    let served = 0;
    for (let ms = 0; ms < 10_000; ms += 1)
      for (let i = 0; i < 3; i += 1) if (quota.admit(GREEDY, BOB, 500, ms) === "admitted") served += 1;
    expect(served).toBeGreaterThanOrEqual(10_000);
    expect(served).toBeLessThanOrEqual(12_000);
  });

  test("recipients are remembered within a bound", () => {
    const quota = new ForwardQuota({ ...DEFAULT_FORWARD_LIMITS, link: rate(1e6), total: rate(1e6) }, 0);
    for (let i = 0; i < 5_000; i += 1) quota.admit(GREEDY, `${i}` as typeof BOB, 1, 0);
    expect(quota.recipientCount).toBe(4_096);
  });
});
