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
  ["E_BAD_ANSWER", EXIT.unavailable],
  ["E_DISCONNECTED", EXIT.unavailable],
  ["E_NO_ACCESS", EXIT.unavailable],
  ["E_NO_DAEMON", EXIT.unavailable],
  ["E_SHUTTING_DOWN", EXIT.unavailable],
  ["E_SLOW_SUBSCRIBER", EXIT.unavailable],
  ["E_SOCKET_IN_USE", EXIT.unavailable],
  ["E_UNKNOWN_METHOD", EXIT.unavailable],
  ["E_SOCKET_DIRECTORY", EXIT.unsafe],
  ["E_BAD_ID", EXIT.usage],
  ["E_BAD_PARAMS", EXIT.usage],
  ["E_BAD_SOCKET_PATH", EXIT.usage],
  ["E_TOO_LARGE", EXIT.usage],
]);

/** What a person does next. */
const ADVICE: ReadonlyMap<LocalErrorCode, string> = new Map([
  ["E_BAD_ID", "'starling id' on the other machine prints the right one"],
  ["E_BAD_ANSWER", "it may be of another version, or no daemon of this kind: see 'starling --version', and --socket"],
  [
    "E_CLOCK",
    "set this machine's clock (such as by NTP), then try again; 'starling doctor' shows by how much it is off",
  ],
  ["E_DISCONNECTED", "look at the daemon's log; start it with 'starling start'"],
  ["E_INBOX_FULL", "somebody has to run 'starling listen' at the recipient's"],
  ["E_MINT", "this machine is too busy to mint stamps; try again with a longer --timeout"],
  ["E_NO_CHANNEL", "leave out --via to let it go over relays"],
  ["E_NO_DAEMON", "run 'starling start', or say with --socket or --data-dir which daemon you mean"],
  ["E_NO_ROUTE", "'starling trace ID' shows where the way ends; or try again with a longer --timeout"],
  ["E_NOT_A_NODE", "check the id: 'starling id' at the recipient's prints it"],
  ["E_QUOTA", "wait a little and try again"],
  ["E_SHUTTING_DOWN", "start it with 'starling start', then try again"],
  ["E_SLOW_SUBSCRIBER", "run it again; what reads its output has to read faster"],
  ["E_TIMEOUT", "try again with a longer --timeout; 'starling trace ID' shows where the way ends"],
  ["E_UNKNOWN_METHOD", "the daemon is older than this program: start it anew"],
]);

/** Their messages end with advice for programs, behind a semicolon; a person is told ours instead. */
const REPLACED: ReadonlySet<LocalErrorCode> = new Set([
  "E_DISCONNECTED",
  "E_NO_CHANNEL",
  "E_NO_DAEMON",
  "E_QUOTA",
  "E_SHUTTING_DOWN",
  "E_SLOW_SUBSCRIBER",
  "E_UNKNOWN_METHOD",
]);

/** Delivered, but nobody answered: the way is not at fault. */
const UNANSWERED =
  "nothing answers there: the recipient has to run 'starling reply' with this --topic, or needs longer (--timeout)";

/** An error of the local protocol with its exit code and what to do next; any other as it is. */
export function asCommandError(error: unknown): unknown {
  if (!(error instanceof LocalClientError)) return error;
  const { code, message } = error;
  const isUnanswered = code === "E_TIMEOUT" && message.startsWith("delivered");
  const advice = isUnanswered ? UNANSWERED : ADVICE.get(code);
  const [what = message] = REPLACED.has(code) ? message.split(";") : [message];
  const text = advice === undefined ? message : `${what}; ${advice}`;
  return new CommandError(code, text, EXIT_BY_CODE.get(code) ?? EXIT.failure, { cause: error });
}
