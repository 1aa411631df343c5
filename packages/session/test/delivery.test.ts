import { describe, expect, test } from "@jest/globals";
import { FRAME_KIND, FRAME_MAX_BYTES } from "@starling/wire-protocol";
import { eventsOf, frameOf, linkedPair, serialOf, serials } from "./virtual-wire.ts";

const ROUGH = { loss: 0.2, delayMs: 50, jitterMs: 20, duplication: 0.05 };
const BURSTS = { delayMs: 50, jitterMs: 10, burst: { begins: 0.01, ends: 0.15 } };

describe("reliable frames", () => {
  test.each([
    ["20 % loss each way, 50±20 ms, 5 % duplication", ROUGH, 45_000, 2_500, 2.0],
    ["bursts of loss (1 % begin, 15 % end), 50±10 ms", BURSTS, 20_000, 1_500, 2.0],
  ])("10,000 frames of 1 kB arrive exactly once: %s", (_name, quality, withinMs, p99Ms, sendsEach) => {
    const { wire, a, b } = linkedPair(1, quality);
    const count = 10_000;
    const sentMono: number[] = [];
    const tookMs: number[] = [];
    const started = wire.mono;
    // One window of frames is offered at a time, so that a frame's time is its own and not the queue's.
    let outstanding = 0;
    const offer = () => {
      for (; outstanding < 256 && sentMono.length < count; outstanding += 1) {
        sentMono.push(wire.mono);
        expect(wire.send(a, b, frameOf(sentMono.length - 1, 1_000), sentMono.length - 1)).toBe("queued");
      }
    };
    wire.onEvent = (host, event) => {
      if (host === b && event.type === "frame" && event.frame.kind === FRAME_KIND.direct)
        tookMs.push(wire.mono - (sentMono[serialOf(event.frame)] ?? Number.NaN));
      if (host !== a || event.type !== "acknowledged") return;
      outstanding -= 1;
      offer();
    };
    offer();
    expect(wire.run(120_000, () => eventsOf(a, "acknowledged").length === count)).toBe(true);
    const { sentFrames = 0 } = a.table.get(b.id)?.traffic ?? {};
    const p99 = tookMs.toSorted((x, y) => x - y)[Math.floor(0.99 * count)] ?? Number.NaN;
    const tookAllMs = wire.mono - started;
    process.stdout.write(
      `10,000 frames: ${(tookAllMs / 1_000).toFixed(1)} virtual s, ${(sentFrames / count).toFixed(2)} sends each, p99 ${Math.round(p99)} ms\n`,
    );
    expect(serials(b).sort((x, y) => x - y)).toEqual([...Array(count).keys()]);
    expect(new Set(eventsOf(a, "acknowledged").map((event) => event.token)).size).toBe(count);
    expect(a.table.get(b.id)?.queuedBytes).toBe(0);
    expect(eventsOf(a, "closed")).toEqual([]);
    expect(tookAllMs).toBeLessThanOrEqual(withinMs);
    expect(p99).toBeLessThanOrEqual(p99Ms);
    expect(sentFrames / count).toBeLessThanOrEqual(sendsEach);
  });

  test("a frame of 60 kB arrives whole under loss, and only what is missing is sent again", () => {
    const { wire, a, b } = linkedPair(2, ROUGH);
    const frame = frameOf(77, 60_000, FRAME_KIND.publish);
    frame.body.set(wire.random(50_000), 100);
    expect(wire.send(a, b, frame, 5)).toBe("queued");
    const before = wire.sent.length;
    expect(wire.run(10_000, () => eventsOf(a, "acknowledged").length === 1)).toBe(true);
    const arrived = eventsOf(b, "frame").filter((event) => event.frame.kind === FRAME_KIND.publish);
    expect(arrived.map((event) => event.frame)).toEqual([frame]);
    expect(eventsOf(a, "acknowledged")).toEqual([{ type: "acknowledged", peer: b.id, token: 5 }]);
    const bytes = wire.sent.slice(before).filter((sent) => sent.from === a.address).length * 1_200;
    expect(bytes).toBeLessThan(3 * 60_000);
  });

  test("the largest frame fits, one byte more is refused", () => {
    const { wire, a, b } = linkedPair(3);
    expect(wire.send(a, b, frameOf(1, FRAME_MAX_BYTES - 6))).toBe("too-large");
    expect(wire.send(a, b, frameOf(1, FRAME_MAX_BYTES - 7))).toBe("queued");
    wire.run(2_000);
    expect(serials(b)).toEqual([1]);
  });
});
