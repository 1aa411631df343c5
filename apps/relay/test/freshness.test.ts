import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { freshnessFile } from "@starling/daemon";
import { DaemonChild, run } from "@starling/test-processes";

// The freshness bound over restarts of real processes, PROTOCOL §7.4: it is kept, and one that a wrong clock left is reported and reset.

const folder = mkdtempSync(join(tmpdir(), "starling-freshness-"));
const HOUR_MS = 3_600_000;
let child: DaemonChild | undefined;

afterEach(async () => {
  await child?.stop("SIGKILL").catch(() => undefined);
  child = undefined;
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(program: "relay" | "node", dataDir: string): Promise<{ child: DaemonChild; http: string }> {
  const http = program === "relay" ? ["--http", "127.0.0.1:0"] : [];
  const started = new DaemonChild(program, ["start", "--data-dir", dataDir, "--listen", "127.0.0.1:0", ...http]);
  child = started;
  return { child: started, http: (await started.ready()).http };
}

test.each(["relay", "node"] as const)(
  "a %s keeps the time over a restart, and says E_CLOCK where what it kept is far ahead",
  async (program) => {
    const dataDir = join(folder, program);
    const kept = freshnessFile({ path: (name) => join(dataDir, name) });
    const begunMs = Date.now();
    const first = await start(program, dataDir);
    expect((await first.child.stop()).code).toBe(0);
    const bound = await kept.read(begunMs);
    expect(bound).toBeGreaterThanOrEqual(begunMs);
    expect(bound).toBeLessThanOrEqual(Date.now() + 1);

    await kept.write(Date.now() + HOUR_MS, Date.now());
    const second = await start(program, dataDir);
    await second.child.log(({ code }) => code === "E_CLOCK", "E_CLOCK");
    if (program === "relay") {
      const metrics = await (await fetch(`http://${second.http}/metrics`)).text();
      expect(metrics).toContain('starling_clock_total{event="set-back"} 1');
      expect((await run("relay", ["status", "--http", second.http])).stdout).toContain("E_CLOCK");
    } else {
      expect((await run("node", ["status", "--data-dir", dataDir])).stdout).toContain("E_CLOCK");
    }
    expect((await second.child.stop()).code).toBe(0);
    expect(await kept.read(begunMs)).toBeLessThanOrEqual(Date.now() + 1);

    // What is damaged costs the memory, not the start.
    const path = join(dataDir, "freshness");
    writeFileSync(path, readFileSync(path).subarray(0, 9));
    const third = await start(program, dataDir);
    const { code, stdout } = await third.child.stop();
    expect(code).toBe(0);
    expect(stdout).not.toContain("E_CLOCK");
    expect(await kept.read(begunMs)).toBeGreaterThanOrEqual(begunMs);
  },
  90_000,
);
