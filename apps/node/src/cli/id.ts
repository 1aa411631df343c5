import { randomBytes } from "node:crypto";
import { loadOrCreateKeyFile } from "@starling/crypto-identity/key-file";
import { prepareDataDir } from "@starling/daemon";
import { addFlags, configOf, type Parent, wantsJson } from "./options.ts";

export function addId(program: Parent): void {
  const command = program.command("id").description("print the node id, making the key on first use");
  addFlags(command);
  // Works beside a running daemon: the key is made by whoever comes first, and only read from then on.
  command.action(async () => {
    const { keyPath } = await prepareDataDir(configOf(command).dataDir);
    const { identity } = await loadOrCreateKeyFile(keyPath, { random: (sizeBytes) => randomBytes(sizeBytes) });
    process.stdout.write(`${wantsJson(command) ? JSON.stringify({ id: identity.id }) : identity.id}\n`);
  });
}
