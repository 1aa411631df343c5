import { CommandError, EXIT } from "@starling/daemon";
import { LocalClientError, type LocalErrorCode } from "@starling/local-client";

const EXIT_BY_CODE: ReadonlyMap<LocalErrorCode, number> = new Map([
  ["E_CANCELLED", EXIT.undelivered],
  ["E_CLOCK", EXIT.undelivered],
  ["E_INBOX_FULL", EXIT.undelivered],
  ["E_MINT", EXIT.undelivered],
  ["E_NO_CHANNEL", EXIT.undelivered],
  ["E_NO_ROUTE", EXIT.undelivered],
  ["E_NOT_A_NODE", EXIT.undelivered],
  ["E_QUOTA", EXIT.undelivered],
  ["E_TIMEOUT", EXIT.undelivered],
  ["E_DISCONNECTED", EXIT.unavailable],
  ["E_NO_ACCESS", EXIT.unavailable],
  ["E_NO_DAEMON", EXIT.unavailable],
  ["E_SHUTTING_DOWN", EXIT.unavailable],
  ["E_SOCKET_IN_USE", EXIT.unavailable],
  ["E_SOCKET_DIRECTORY", EXIT.unsafe],
  ["E_BAD_ID", EXIT.usage],
  ["E_BAD_PARAMS", EXIT.usage],
  ["E_BAD_SOCKET_PATH", EXIT.usage],
  ["E_TOO_LARGE", EXIT.usage],
]);

const ADVICE: ReadonlyMap<LocalErrorCode, string> = new Map([
  ["E_NO_DAEMON", "run 'starling start', or say with --socket or --data-dir which daemon you mean"],
  ["E_NO_ROUTE", "check that its node runs on this network, then send again with a longer --timeout"],
  ["E_TIMEOUT", "send again, with a longer --timeout if its node is slow to reach"],
  ["E_QUOTA", "wait a little and send again"],
  ["E_INBOX_FULL", "somebody has to run 'starling listen' at the recipient's"],
]);

/** An error of the local protocol with its exit code and what to do next; any other as it is. */
export function asCommandError(error: unknown): unknown {
  if (!(error instanceof LocalClientError)) return error;
  const { code, message } = error;
  const advice = ADVICE.get(code);
  const text = advice === undefined ? message : `${message}; ${advice}`;
  return new CommandError(code, text, EXIT_BY_CODE.get(code) ?? EXIT.failure, { cause: error });
}
