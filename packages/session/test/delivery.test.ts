import { describe, expect, test } from "@jest/globals";
import { FRAME_KIND, FRAME_MAX_BYTES } from "@starling/wire-protocol";
import { counted, eventsOf, frameOf, linkedPair, serials } from "./virtual-wire.ts";

const ROUGH = { loss: 0.2, delayMs: 50, jitterMs: 20, duplication: 0.05 };

describe("reliable frames", () => {
  test("2,000 frames of 1 kB at 20 % loss, 50±20 ms and 5 % duplication arrive exactly once", () => {
    const { wire, a, b } = linkedPair(1, ROUGH);
    for (let serial = 0; serial < 2_000; serial += 1)
      expect(wire.send(a, b, frameOf(serial, 1_000), serial)).toBe("queued");
    const started = wire.mono;
    expect(wire.run(60_000, () => eventsOf(a, "acknowledged").length === 2_000)).toBe(true);
    process.stdout.write(
      `2,000 frames took ${Math.round(wire.mono - started)} virtual ms, ${counted(a, "frames.resent")} resent\n`,
    );
    expect(serials(b).sort((x, y) => x - y)).toEqual([...Array(2_000).keys()]);
    expect(new Set(eventsOf(a, "acknowledged").map((event) => event.token)).size).toBe(2_000);
    expect(a.table.get(b.id)?.queuedBytes).toBe(0);
    expect(eventsOf(a, "closed")).toEqual([]);
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
