import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect, type LocalClient } from "@starling/local-client";
import { cpuMsOf, residentMbOf } from "./process-cost.ts";

// Daemons as processes, out of the bundle that people install, and two of them joined by a channel.

export const APP: string = fileURLToPath(new URL("../../apps/node/", import.meta.url));
export const BUNDLE: string = join(APP, "dist/bundle/starling.js");

export type Ready = { readonly id: string; readonly listen: string; readonly socket: string };

export class DaemonProcess {
  readonly ready: Promise<Ready>;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(dataDir: string, args: readonly string[] = []) {
    const common = ["start", "--data-dir", dataDir, "--network", "bench", "--listen", "127.0.0.1:0"];
    this.#process = spawn(process.execPath, [BUNDLE, ...common, ...args], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#exited = once(this.#process, "exit");
    this.ready = new Promise((resolve, reject) => {
      void this.#exited.then(() => reject(new Error("a daemon ended before it was ready")));
      if (this.#process.stdout === null) return;
      createInterface({ input: this.#process.stdout }).on("line", (line) => {
        const entry = JSON.parse(line);
        if (entry.msg === "ready") resolve(entry);
      });
    });
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#exited;
  }

  /** Milliseconds of processor time since its start; where the system does not tell, NaN. */
  cpuMs(): number {
    return cpuMsOf(this.#process.pid);
  }

  residentMb(): number {
    return residentMbOf(this.#process.pid);
  }
}

export type Pair = {
  readonly to: string;
  readonly sender: LocalClient;
  readonly recipient: LocalClient;
  close(): Promise<void>;
};

/** Two daemons on loopback with a channel between them, and a program at each. */
export async function openPair(): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const first = new DaemonProcess(join(folder, "a"));
  const a = await first.ready;
  const second = new DaemonProcess(join(folder, "b"));
  const b = await second.ready;
  const [sender, recipient] = await Promise.all([connect(a.socket), connect(b.socket)]);
  await sender.connectPeer(b.id, b.listen);
  await sender.connectPeer(b.id);
  return {
    to: b.id,
    sender,
    recipient,
    async close() {
      sender.close();
      recipient.close();
      await Promise.all([first.stop(), second.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
