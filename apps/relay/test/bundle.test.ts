import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "@jest/globals";
import { DaemonChild } from "@starling/test-processes";

const app = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "starling-relay-bundle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the one file is small, and runs where nothing lies beside it", async () => {
  const made = spawnSync(process.execPath, [join(app, "bundle.mjs")], { cwd: app, encoding: "utf8" });
  expect([made.status, made.stderr]).toEqual([0, ""]);
  const program = join(folder, "starling-relay.mjs");
  copyFileSync(join(app, "dist/bundle/starling-relay.js"), program);
  expect(statSync(program).size).toBeLessThan(450_000);
  const child = new DaemonChild(program, [
    ...["start", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir", join(folder, "data")],
  ]);
  try {
    const { http } = await child.ready();
    const metrics = await (await fetch(`http://${http}/metrics`)).text();
    const { version } = JSON.parse(readFileSync(join(app, "package.json"), "utf8"));
    expect(metrics).toContain(`starling_build_info{version="${version}"} 1`);
    expect(metrics).toContain("process_resident_memory_bytes");
    expect((await child.stop()).code).toBe(0);
  } finally {
    await child.stop("SIGKILL");
  }
}, 60_000);
