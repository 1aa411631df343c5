import { type ChildProcess, spawn } from "node:child_process";
import { whenStopped } from "@starling/daemon";
import { CONTENT_MAX_BYTES, type RequestEvent } from "@starling/local-client";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { outputGone, printJson } from "./output.ts";
import { visible } from "./text.ts";

const HAS_GROUPS = process.platform !== "win32";

export function addReply(program: Parent): void {
  const command = program.command("reply").description("answer requests with a command's output, until Ctrl-C");
  addFlags(command, {
    examples: [
      ["reply --exec date", "every request is answered with the time"],
      ["reply --topic shout --exec 'tr a-z A-Z'", "the request is the command's standard input"],
      [`reply --exec 'echo hello "$STARLING_FROM"'`, "STARLING_FROM and STARLING_TOPIC say whose it is"],
    ],
  });
  command
    .requiredOption("--exec <CMD>", "run by the shell for each request; the request is its standard input")
    .option("--topic <TOPIC>", "only requests of this topic")
    .action(async ({ exec, topic }) => {
      await withClient(command, async (client) => {
        const requests = await client.subscribe({ events: ["request"], topic });
        const stop = new AbortController();
        void Promise.race([whenStopped(), outputGone()]).then(() => stop.abort());
        stop.signal.addEventListener("abort", () => void requests.unsubscribe());
        for await (const request of requests) {
          // Those that wait are not begun any more.
          if (stop.signal.aborted) break;
          // Whatever is wrong with one request, the next is answered.
          let content: Uint8Array | undefined;
          try {
            content = await run(exec, request, stop.signal);
            if (content === undefined) continue;
            await client.reply(request.requestId, content);
          } catch (error) {
            complain(request, error instanceof Error ? error.message : String(error));
            continue;
          }
          const { requestId, from, topic: about } = request;
          const answered = {
            requestId,
            from,
            topic: about,
            requestBytes: request.content.length,
            replyBytes: content.length,
          };
          if (wantsJson(command)) printJson(answered);
          else process.stdout.write(`answered ${from} with ${content.length} bytes\n`);
        }
      });
    });
}

/**
 * The output of the command, or undefined where it failed or said too much: its asker then runs out of time. Also at `stopped`, however
 * long it would run on.
 */
function run(exec: string, request: RequestEvent, stopped: AbortSignal): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, STARLING_FROM: request.from, STARLING_TOPIC: request.topic };
    // A group of its own, where there are such: what the shell has begun ends with it.
    const child = spawn(exec, { shell: true, env, stdio: ["pipe", "pipe", "inherit"], detached: HAS_GROUPS });
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= CONTENT_MAX_BYTES) chunks.push(chunk);
    });
    // A command that reads nothing closes its input early.
    child.stdin.on("error", () => {});
    child.stdin.end(request.content);
    const fail = (why: string): void => {
      complain(request, why);
      resolve(undefined);
    };
    const onStop = (): void => {
      endGroup(child);
      // Whoever holds them still is not waited for.
      child.stdin.destroy();
      child.stdout.destroy();
      child.unref();
      resolve(undefined);
    };
    stopped.addEventListener("abort", onStop, { once: true });
    child.once("error", (error) => fail(error.message));
    child.once("close", (code) => {
      stopped.removeEventListener("abort", onStop);
      if (stopped.aborted) return;
      if (code !== 0) fail(`the command ended with ${code}`);
      else if (sizeBytes > CONTENT_MAX_BYTES) fail(`the command said more than ${CONTENT_MAX_BYTES} bytes`);
      else resolve(Buffer.concat(chunks));
    });
  });
}

function endGroup(child: ChildProcess): void {
  if (!HAS_GROUPS || child.pid === undefined) {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid);
  } catch {
    // It has ended by itself.
  }
}

function complain({ from }: RequestEvent, why: string): void {
  process.stderr.write(`starling: no reply to ${from}: ${visible(why)}\n`);
}
