import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "@jest/globals";

// `npm start` as a script sees it: its JSON lines, its exit code, and what is left of it.

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
type Step = {
  readonly step: string;
  readonly ok?: boolean;
  readonly error?: string;
  readonly pids?: readonly number[];
};

let demo: ChildProcess | undefined;
afterEach(() => {
  demo?.kill("SIGKILL");
});

/** Starts it; `onStep` sees each line as it comes. Resolves at its end. */
async function play(args: string[], onStep: (step: Step, demo: ChildProcess) => void = () => {}) {
  const child = spawn(process.execPath, [...FLAGS, MAIN, "--json", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  demo = child;
  const steps: Step[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const step: Step = JSON.parse(line);
    steps.push(step);
    onStep(step, child);
  });
  const [code, signal] = await once(child, "exit");
  return { code: code ?? signal, steps, pid: child.pid };
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const folders = (pid: number | undefined) =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`starling-demo-${pid}-`));

async function gone(pids: readonly number[]): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (pids.some(isAlive)) {
    if (performance.now() > endMs) throw new Error(`still there: ${pids.filter(isAlive)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("npm start -- --once --json", () => {
  test("shows every step, says done, exits 0, leaves nothing", async () => {
    const { code, steps, pid } = await play(["--once"]);
    expect(steps.map(({ step }) => step)).toEqual([
      "relay",
      "nodes",
      "bootstrap",
      "relayed-message",
      "channel-open",
      "channel-message",
      "request-reply",
      "broadcast",
      "channel-killed",
      "status",
      "done",
    ]);
    expect(steps.at(-1)).toMatchObject({ step: "done", ok: true });
    expect(code).toBe(0);
    expect(folders(pid)).toEqual([]);
  }, 60_000);

  test("a daemon that dies under it: exit 1, the step that failed, nothing left", async () => {
    const pids: number[] = [];
    const { code, steps, pid } = await play(["--once"], (step) => {
      pids.push(...(step.pids ?? []));
      if (step.step === "bootstrap") process.kill(pids.at(-2) ?? 0, "SIGKILL");
    });
    expect(code).toBe(1);
    expect(steps.at(-1)).toMatchObject({ step: "done", ok: false, error: expect.stringContaining("ended by itself") });
    expect(pids).toHaveLength(4);
    await gone(pids);
    expect(folders(pid)).toEqual([]);
  }, 60_000);
});

describe("npm start", () => {
  test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
    "%s ends all of it",
    async (signal) => {
      const pids: number[] = [];
      const { pid } = await play([], (step, child) => {
        pids.push(...(step.pids ?? []));
        if (step.step === "status") child.kill(signal);
      });
      expect(pids).toHaveLength(4);
      await gone(pids);
      // Killed outright it cannot remove its folder; the next start does.
      if (signal !== "SIGKILL") expect(folders(pid)).toEqual([]);
    },
    60_000,
  );
});
