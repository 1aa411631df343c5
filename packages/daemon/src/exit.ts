import { errnoOf } from "./errno.ts";
import { CommandError } from "./errors.ts";
import { peerText } from "./peer-text.ts";

/** The exit codes of every command. */
export const EXIT: {
  readonly ok: 0;
  readonly failure: 1;
  readonly usage: 2;
  readonly unavailable: 3;
  readonly unsafe: 4;
  readonly undelivered: 5;
} = { ok: 0, failure: 1, usage: 2, unavailable: 3, unsafe: 4, undelivered: 5 };

const MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.ok, "success"],
  [EXIT.failure, "failure"],
  [EXIT.usage, "wrong usage or configuration"],
  [EXIT.unavailable, "something needed is in use or not reachable: a port, the data directory, the daemon"],
  [EXIT.unsafe, "a key file or data directory that must not be used: damaged, foreign, open to others"],
  [EXIT.undelivered, "no receipt, no answer, or no way"],
];

/** Of errors that packages below the programs throw. Those of the local API are in apps/node/src/cli/failure.ts. */
const BY_CODE: ReadonlyMap<string, number> = new Map([
  ["E_CONFIG", EXIT.usage],
  ["E_BAD_ID", EXIT.usage],
  ["E_BAD_ADDRESS", EXIT.usage],
  ["E_DATA_DIR_PATH_TOO_LONG", EXIT.usage],
  ["E_DATA_DIR_IN_USE", EXIT.unavailable],
  ["E_PORT_TAKEN", EXIT.unavailable],
  ["E_ADDRESS_NOT_HERE", EXIT.unavailable],
  ["E_PORT_FORBIDDEN", EXIT.unavailable],
  ["E_SOCKET", EXIT.unavailable],
  ["E_DATA_DIR_PERMISSIONS", EXIT.unsafe],
  ["E_DATA_DIR_FOREIGN", EXIT.unsafe],
  ["E_DATA_DIR_UNUSABLE", EXIT.unsafe],
]);

/** For the end of `--help`: the codes that a program uses, all unless told. */
export function exitCodeHelp(codes: readonly number[] = Object.values(EXIT)): string {
  const lines = MEANINGS.flatMap(([code, meaning]) => (codes.includes(code) ? [`  ${code}  ${meaning}`] : []));
  return ["Exit codes:", ...lines].join("\n");
}

/** The exit code of an error, by its stable `code` where it has one of ours. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  const code = stableCode(error);
  if (code === undefined) return EXIT.failure;
  return BY_CODE.get(code) ?? (code.startsWith("E_KEY_FILE_") ? EXIT.unsafe : EXIT.failure);
}

/**
 * Writes `PROGRAM: MESSAGE` to standard error, on one line, and gives the exit code. An error without a stable code is a fault
 * of the program: it keeps its stack.
 */
export function reportError(program: string, error: unknown, write: (text: string) => void = writeStderr): number {
  if (stableCode(error) !== undefined && error instanceof Error) {
    write(`${program}: ${error.message.replaceAll(/\s*[\r\n]+\s*/g, " ")}\n`);
  } else {
    const what = error instanceof Error ? (error.stack ?? error.message) : peerText(String(error));
    write(`${program}: internal error, please report it: ${what}\n`);
  }
  return exitCodeOf(error);
}

function stableCode(error: unknown): string | undefined {
  const code = errnoOf(error);
  return code.startsWith("E_") ? code : undefined;
}

function writeStderr(text: string): void {
  process.stderr.write(text);
}
