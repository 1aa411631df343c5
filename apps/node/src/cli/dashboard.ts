import { readFile } from "node:fs/promises";
import { CommandError, dataDirPaths, EXIT } from "@starling/daemon";
import { TOKEN_FILE } from "../http/http-token.ts";
import { addFlags, askDaemon, configOf, type Parent, wantsJson } from "./options.ts";
import { PROGRAM } from "./program.ts";

export function addDashboard(program: Parent): void {
  const command = program
    .command("dashboard")
    .description("print the address of the running node's page, for a browser of this user: it holds the token");
  addFlags(command, {
    examples: [
      ["dashboard", "open what it prints in a browser on this machine"],
      ["dashboard --json | jq -r .url", "for a script"],
    ],
  });
  command.action(async () => {
    const { http } = await askDaemon(command, (client) => client.info());
    if (http === null) {
      const message = `the node serves no page; start it with: ${PROGRAM} start --http 127.0.0.1:8420`;
      throw new CommandError("E_NO_DASHBOARD", message, EXIT.unavailable);
    }
    const url = `http://${http}/#token=${await readToken(dataDirPaths(configOf(command).dataDir).path(TOKEN_FILE))}`;
    process.stdout.write(wantsJson(command) ? `${JSON.stringify({ url })}\n` : `${url}\n`);
  });
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, "latin1")).trim();
  } catch (error) {
    const message = `the token of the page cannot be read from ${path}; name the node's directory with --data-dir`;
    throw new CommandError("E_NO_TOKEN", message, EXIT.unavailable, { cause: error });
  }
}
