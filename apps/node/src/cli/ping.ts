import { setTimeout as wait } from "node:timers/promises";
import { Option } from "@commander-js/extra-typings";
import { CommandError, EXIT, whenStopped } from "@starling/daemon";
import { LocalClientError } from "@starling/local-client";
import { parseRecipient, parseTimeout, VIAS } from "./arguments.ts";
import { addFlags, integerOption, type Parent, wantsJson, withClient } from "./options.ts";
import { outputGone, printJson } from "./output.ts";
import { phaseOf, withProgress } from "./progress.ts";
import { wayOf } from "./send.ts";

/** Failures of one ping that the next may not have; after any other there is no next. */
const LOSSES = new Set(["E_TIMEOUT", "E_NO_ROUTE", "E_NO_CHANNEL", "E_MINT", "E_QUOTA"]);
const STOPPED =
  "stopped before there was an answer; let it run for longer, or 'starling trace ID' shows where the way ends";

export function addPing(program: Parent): void {
  const command = program
    .command("ping")
    .description(
      "ask whether a node is there, and show round trip and way of each answer; Ctrl-C ends it with a summary",
    );
  addFlags(command, {
    examples: [
      ["ping ID", "four times, a second apart"],
      ["ping ID -c 1 --timeout 2s", "for a script: exit 0 if it answered"],
      ["ping ID -c 0 --via relay", "over relays only, until Ctrl-C"],
    ],
  });
  command
    .argument("<ID>", "the node: 64 hexadecimal digits")
    .option("-c, --count <N>", "how often; 0: until Ctrl-C", integerOption(0, 1_000_000), 4)
    .option("-i, --interval <TIME>", "time from one to the next, such as 200ms or 1s", "1s")
    .option("--timeout <TIME>", "how long to wait each time, such as 500ms, 10s or 2m", "5s")
    .addOption(new Option("--via <WAY>", "what it may go over").choices(VIAS).default("any" as const))
    .action(async (id, { count, interval, timeout, via }) => {
      const options = { to: parseRecipient(id), via, timeoutMs: parseTimeout(timeout) };
      const intervalMs = parseTimeout(interval, "--interval");
      const json = wantsJson(command);
      const stop = new AbortController();
      const signal = stop.signal;
      void Promise.race([whenStopped(), outputGone()]).then(() => stop.abort());
      const times: number[] = [];
      let sent = 0;
      let lastError: LocalClientError | undefined;
      await withClient(command, async (client) => {
        while (!signal.aborted && (count === 0 || sent < count)) {
          const startedMono = performance.now();
          sent += 1;
          try {
            const pong = await withProgress(client.ping({ ...options, signal }), phaseOf(client, options.to));
            times.push(pong.elapsedMs);
            if (json) printJson({ seq: sent, ok: true, ...pong });
            else process.stdout.write(`${sent}  ${pong.elapsedMs} ms, ${wayOf(pong)}\n`);
          } catch (error) {
            // Ctrl-C: this one does not count.
            if (signal.aborted) sent -= 1;
            if (signal.aborted) break;
            if (!(error instanceof LocalClientError) || !LOSSES.has(error.code)) throw error;
            lastError = error;
            if (json) printJson({ seq: sent, ok: false, code: error.code, message: error.message });
            else process.stdout.write(`${sent}  no answer: ${error.message}\n`);
          }
          if (count === 0 || sent < count) {
            await wait(Math.max(0, startedMono + intervalMs - performance.now()), undefined, { signal }).catch(
              () => {},
            );
          }
        }
      });
      const summary = summaryOf(sent, times);
      if (json) printJson({ summary });
      else process.stdout.write(`${summaryText(summary)}\n`);
      if (times.length === 0) throw lastError ?? new CommandError("E_CANCELLED", STOPPED, EXIT.undelivered);
    });
}

type Summary = {
  readonly sent: number;
  readonly answered: number;
  readonly minMs: number | null;
  readonly meanMs: number | null;
  readonly maxMs: number | null;
};

function summaryOf(sent: number, times: readonly number[]): Summary {
  if (times.length === 0) return { sent, answered: 0, minMs: null, meanMs: null, maxMs: null };
  const sum = times.reduce((total, ms) => total + ms, 0);
  const meanMs = Math.round((10 * sum) / times.length) / 10;
  return { sent, answered: times.length, minMs: Math.min(...times), meanMs, maxMs: Math.max(...times) };
}

function summaryText({ sent, answered, minMs, meanMs, maxMs }: Summary): string {
  const lost = sent === 0 ? 0 : Math.round((100 * (sent - answered)) / sent);
  const times = minMs === null ? "" : `; round trip min/mean/max ${minMs}/${meanMs}/${maxMs} ms`;
  return `${sent} sent, ${answered} answered, ${lost} % lost${times}`;
}
