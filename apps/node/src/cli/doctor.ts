import { CommandError, EXIT } from "@starling/daemon";
import { type Check, checksOf } from "./doctor-checks.ts";
import { type DaemonFacts, directoryFacts, ownIps } from "./doctor-facts.ts";
import { asCommandError } from "./failure.ts";
import { addFlags, askDaemon, configOf, type Parent, wantsJson } from "./options.ts";
import { paint, printJson } from "./output.ts";

const COLOURS = { ok: "green", warn: "yellow", fail: "red", unknown: "dim" } as const;

export function addDoctor(program: Parent): void {
  const command = program
    .command("doctor")
    .description(
      "examine the running node: data directory, UDP, bootstrap, clock, NAT, relay latency, inbox; and say what to do",
    );
  addFlags(command, {
    examples: [
      ["doctor", "exits 0 where nothing has failed, 1 where something has, 3 where no daemon answers"],
      ["doctor --json | jq '.checks[] | select(.state != \"ok\")'", "what is not well"],
    ],
  });
  command.action(async () => {
    const { dataDir } = configOf(command);
    const failure: { error?: unknown } = {};
    const [directory, daemon] = await Promise.all([
      directoryFacts(dataDir),
      askNode(command).catch((error: unknown) => {
        failure.error = error;
        return { error: error instanceof Error ? error : new Error(String(error)) };
      }),
    ]);
    const checks = checksOf({ directory, daemon, ownIps: ownIps() });
    const failed = checks.filter(({ state }) => state === "fail");
    if (wantsJson(command)) printJson({ ok: failed.length === 0, checks });
    else process.stdout.write(checks.map(checkText).join(""));
    if (failure.error !== undefined) throw asCommandError(failure.error);
    if (failed.length > 0) {
      const names = failed.map(({ name }) => name).join(", ");
      throw new CommandError("E_UNWELL", `not well: ${names}; what to do stands above`, EXIT.failure);
    }
  });
}

function askNode(command: Parent): Promise<DaemonFacts> {
  return askDaemon(command, async (client) => {
    const startedMono = performance.now();
    const status = await client.status();
    const answerMs = performance.now() - startedMono;
    const [peers, links] = await Promise.all([client.peers(), client.links()]);
    return { status, peers, links, answerMs };
  });
}

function checkText({ name, state, seen, advice }: Check): string {
  const line = `${paint(COLOURS[state], state.padEnd(8))}${name.padEnd(15)}${seen}\n`;
  return advice === undefined ? line : `${line}${" ".repeat(23)}${paint("dim", "→")} ${advice}\n`;
}
