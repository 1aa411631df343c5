import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createLog } from "@starling/daemon/log";
import { decodeNodeRecord, hexToBytes, verifyNodeRecord } from "@starling/wire-protocol";
import { readRelayConfig } from "../src/config.ts";
import { type Relay, startRelay } from "../src/wiring.ts";

// A whole relay in this process, on real sockets. That it runs as a program is tested with the node's (apps/node/test).

const folder = mkdtempSync(join(tmpdir(), "starling-relay-"));
let relay: Relay;

beforeAll(async () => {
  const flags = { listen: "127.0.0.1:0", http: "127.0.0.1:0", dataDir: folder, announce: ["203.0.113.7:4100"] };
  const log = createLog({ level: "silent", name: "test" });
  relay = await startRelay(readRelayConfig(flags, {}, undefined), log);
});
afterAll(async () => {
  await relay.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, method = "GET") => fetch(`http://${relay.http}${path}`, { method });

describe("over HTTP", () => {
  test("/healthz", async () => {
    const response = await get("/healthz");
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ status: "ok" })]);
  });

  test("/metrics has the documented names", async () => {
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain");
    const text = await response.text();
    const names = ["peers", "datagrams_total", "bytes_total", "dropped_total", "forwarded_total", "handshakes_total"];
    for (const name of [...names, "seen_filter_bytes", "stamp_price"])
      expect(text).toContain(`# TYPE starling_${name} `);
    expect(text).toMatch(/starling_stamp_price\{class="send"\} 16384/);
  });

  test("dashboard and alerts name metrics that there are", async () => {
    const text = await (await get("/metrics")).text();
    const known = new Set([...text.matchAll(/^# TYPE (starling_[a-z_]+) /gm)].map(([, name]) => name));
    for (const file of ["grafana-dashboard.json", "alerts.yaml"]) {
      const packaged = readFileSync(new URL(`../packaging/${file}`, import.meta.url), "utf8");
      const named = new Set(packaged.match(/starling_[a-z_]+/g) ?? []);
      expect(named.size).toBeGreaterThan(4);
      expect([...named].filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test("/descriptor is signed by the relay's key", async () => {
    const descriptor = (await (await get("/descriptor")).json()) as { id: string; record: string };
    expect(descriptor).toMatchObject({ id: relay.id, price: { send: 16_384, publish: 65_536 }, shed: {} });
    const record = decodeNodeRecord(hexToBytes(descriptor.record, descriptor.record.length / 2) ?? new Uint8Array(0));
    if (!record.ok) throw new Error(record.reason);
    expect(record.value).toMatchObject({ id: relay.id, role: "relay", addresses: [{ ip: "203.0.113.7", port: 4100 }] });
    expect(verifyNodeRecord("starling", record.value)).toBe(true);
  });

  test("nothing else", async () => {
    expect((await get("/")).status).toBe(404);
    expect((await get("/metrics", "POST")).status).toBe(405);
  });
});
