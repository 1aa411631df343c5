import { randomBytes } from "node:crypto";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";
import { createLog, EXIT, prepareDataDir, printDefaults, whenStopped } from "@starling/daemon";
import { readRelayConfig, relaySettings } from "./config.ts";
import { readStatus, statusText } from "./status.ts";
import { startRelay } from "./wiring.ts";

// What the commands do, apart from how they are written on a command line. Each resolves with an exit code or throws.

export const PROGRAM = "starling-relay";

/** Ten seconds after a SIGTERM a supervisor loses patience. */
const STOP_TIMEOUT_MS = 9_000;

export type CommandInput = {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly configPath: string | undefined;
};

export async function start({ flags, configPath }: CommandInput): Promise<number> {
  // From here on a signal means an orderly end, also while the relay is still starting.
  const stopped = whenStopped();
  const config = readRelayConfig(flags, process.env, configPath);
  const log = createLog({ level: config.logLevel, name: PROGRAM });
  const { id, listen, http, stop } = await startRelay(config, log);
  log.info({ id, listen, http, pid: process.pid }, "ready");
  const reason = await stopped;
  log.info({ reason }, "stopping");
  setTimeout(() => {
    log.error("not stopped in time");
    process.exit(EXIT.failure);
  }, STOP_TIMEOUT_MS).unref();
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
export async function showStatus({ flags, configPath }: CommandInput, asJson: boolean): Promise<number> {
  const { http } = readRelayConfig(flags, process.env, configPath);
  const status = await readStatus(http);
  process.stdout.write(asJson ? `${JSON.stringify(status)}\n` : statusText(status));
  return EXIT.ok;
}

export function showDefaults(): number {
  process.stdout.write(printDefaults(relaySettings(process.env), PROGRAM));
  return EXIT.ok;
}
