import { randomBytes } from "node:crypto";
import { prepareDataDir } from "@starling/daemon";
import { addFlags, configOf, type Parent, wantsJson } from "./options.ts";
import { printJson } from "./output.ts";

export function addId(program: Parent): void {
  const command = program.command("id").description("print the node id, making the key on first use");
  addFlags(command, {
    examples: [
      ["id", "what others send to"],
      ["id --data-dir /srv/starling", "the id of another node"],
    ],
  });
  // Works beside a running daemon: the key is made by whoever comes first, and only read from then on.
  command.action(async () => {
    const { loadOrCreateKeyFile } = await import("@starling/crypto-identity/key-file");
    const { keyPath } = await prepareDataDir(configOf(command).dataDir);
    const { identity } = await loadOrCreateKeyFile(keyPath, { random: (sizeBytes) => randomBytes(sizeBytes) });
    if (wantsJson(command)) printJson({ id: identity.id });
    else process.stdout.write(`${identity.id}\n`);
  });
}
