import { expect, test } from "@jest/globals";
import { createMetrics } from "../src/metrics.ts";

test("what was counted elsewhere is told as it is at each scrape, over sessions and channels together", async () => {
  const counts: Record<string, number> = {
    "dropped.replay": 2,
    "channel.dropped.replay": 3,
    "channels.idle": 9,
    "forwarded.send": 4,
    "received.publish": 2,
    "received.publish-again": 1,
  };
  const metrics = createMetrics({
    version: "1.2.3",
    counts: () => counts,
    socketCounters: () =>
      new Map([
        ["received", 7],
        ["sent.bytes", 80],
        ["dropped.replay", 1],
      ]),
    peers: () => [
      ["session", 2],
      ["both", 1],
    ],
    prices: () => ({ send: 16_384, publish: 65_536 }),
    seenFilterBytes: () => 1024,
  });
  const samples = async (): Promise<string[]> =>
    (await metrics.read()).split("\n").filter((line) => line.startsWith("starling_"));
  expect(await samples()).toEqual([
    'starling_peers{link="session"} 2',
    'starling_peers{link="both"} 1',
    'starling_datagrams_total{direction="in"} 7',
    'starling_datagrams_total{direction="out"} 0',
    'starling_bytes_total{direction="in"} 0',
    'starling_bytes_total{direction="out"} 80',
    'starling_dropped_total{reason="replay"} 6',
    'starling_forwarded_total{class="send"} 4',
    'starling_forwarded_total{class="publish"} 0',
    "starling_broadcast_redundancy 1.5",
    "starling_seen_filter_bytes 1024",
    'starling_stamp_price{class="send"} 16384',
    'starling_stamp_price{class="publish"} 65536',
    'starling_build_info{version="1.2.3"} 1',
  ]);
  counts["dropped.replay"] = 12;
  counts["channel.handshakes.completed"] = 1;
  expect(await samples()).toEqual(
    expect.arrayContaining([
      'starling_dropped_total{reason="replay"} 16',
      'starling_handshakes_total{result="completed"} 1',
    ]),
  );
  expect(await metrics.read()).toMatch(/^process_resident_memory_bytes [0-9]+/m);
});
