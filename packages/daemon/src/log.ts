import type { DestinationStream, Logger } from "pino";
import { pino } from "pino";
import { logOutput } from "./log-output.ts";
import type { LogLevel } from "./values.ts";

/** A pino logger: a method a level, each `(fields, text)`. */
export type Log = Logger;

/** What a log is made with. */
export type LogOptions = {
  readonly level: LogLevel;
  /** The program's name, in every line. */
  readonly name: string;
  /** Standard output unless told; for tests. */
  readonly destination?: DestinationStream;
};

const SECRETS = ["seed", "secret", "passphrase", "privateKey", "token", "password"];

/**
 * JSON lines with `level` (a word), `time` (ISO 8601), `name`, `msg` and the fields given. Written synchronously, so that the
 * last line before a crash is not lost; where standard output takes none, as on a full disk, lines are lost and counted (`lost`), and
 * the program goes on. Fields named like a secret are blotted out at the top and one level below. Text from
 * a peer goes through `peerText` first.
 */
export function createLog({ level, name, destination }: LogOptions): Log {
  const lostText = (lost: number): string =>
    `${JSON.stringify({ level: "warn", time: new Date().toISOString(), name, lost, msg: "lines of this log could not be written" })}\n`;
  return pino(
    {
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((secret) => [secret, `*.${secret}`]), censor: "[secret]" },
    },
    destination ?? logOutput(lostText),
  );
}
