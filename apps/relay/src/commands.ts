import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";
import { EXIT, prepareDataDir, printDefaults, whenStopped } from "@starling/daemon";
import { createLog } from "@starling/daemon/log";
import { readRelayConfig, relaySettings } from "./config.ts";
import { readStatus } from "./status.ts";
import { statusText } from "./status-text.ts";
import { type Relay, startRelay } from "./wiring.ts";

// What the commands do, apart from how they are written on a command line. Each resolves with an exit code or throws.

export const PROGRAM = "starling-relay";

/** Ten seconds after a SIGTERM a supervisor loses patience. */
const STOP_TIMEOUT_MS = 9_000;

/** Between the two looks that rates come from, and between refreshes on a terminal. */
const RATES_MS = 1_000;
const WATCH_MS = 2_000;

export type CommandInput = {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly configPath: string | undefined;
};

export async function start({ flags, configPath }: CommandInput): Promise<number> {
  // From here on a signal means an orderly end, also while the relay is still starting.
  let relay: Relay | undefined;
  // With a terminal a hang-up means that it is gone; without one it is an operator's wish that lists be read again.
  const onHangUp = process.stdin.isTTY ? undefined : () => relay?.reload();
  const stopped = whenStopped({ onHangUp });
  const config = readRelayConfig(flags, process.env, configPath);
  const log = createLog({ level: config.logLevel, name: PROGRAM });
  relay = await startRelay(config, log);
  const { id, listen, http, stop } = relay;
  log.info({ id, listen, http, pid: process.pid }, "ready");
  const reason = await stopped;
  log.info({ reason }, "stopping");
  globalThis
    .setTimeout(() => {
      log.error("not stopped in time");
      process.exit(EXIT.failure);
    }, STOP_TIMEOUT_MS)
    .unref();
  await stop();
  log.info("stopped");
  return EXIT.ok;
}

/** Works beside a running relay: the key is made by whoever comes first, and only read from then on. */
export async function showId({ flags, configPath }: CommandInput, asJson: boolean): Promise<number> {
  const config = readRelayConfig(flags, process.env, configPath);
  const { keyPath } = await prepareDataDir(config.dataDir);
  const { identity } = await loadOrCreateKeyFile(keyPath, { random: (sizeBytes) => randomBytes(sizeBytes) });
  process.stdout.write(`${asJson ? JSON.stringify({ id: identity.id }) : identity.id}\n`);
  return EXIT.ok;
}

/** Asks a running relay over its HTTP side. */
export async function showStatus(
  { flags, configPath }: CommandInput,
  how: { readonly asJson: boolean; readonly once: boolean },
): Promise<number> {
  const { http } = readRelayConfig(flags, process.env, configPath);
  let before = await readStatus(http);
  if (how.asJson) {
    process.stdout.write(`${JSON.stringify(before)}\n`);
    return EXIT.ok;
  }
  const isWatching = process.stdout.isTTY && !how.once;
  for (;;) {
    await setTimeout(isWatching ? WATCH_MS : RATES_MS);
    const status = await readStatus(http);
    // From the upper left corner, over what stood there, and nothing left below it.
    if (isWatching) process.stdout.write("\x1b[H\x1b[2J");
    process.stdout.write(statusText(status, before));
    if (!isWatching) return EXIT.ok;
    before = status;
  }
}

export function showDefaults(): number {
  process.stdout.write(printDefaults(relaySettings(process.env), PROGRAM));
  return EXIT.ok;
}
