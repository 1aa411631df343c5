// Receives files into a directory; the other half of send-file.ts.
//
//   node receive-file.ts SOCKET DIRECTORY SENDER-ID
import { createHash } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "@starling/local-client";

const [socket, directory, sender] = process.argv.slice(2);
if (socket === undefined || directory === undefined || sender === undefined) {
  throw new Error("usage: node receive-file.ts SOCKET DIRECTORY SENDER-ID");
}

type Head = { readonly name: string; readonly offset?: number; readonly sha256?: string };

/** What arrives is a stranger's word: a name stays in the directory, a part goes where it belongs. */
async function take(content: Uint8Array): Promise<string> {
  const end = content.indexOf(0x0a);
  const { name, offset = 0, sha256 }: Head = JSON.parse(new TextDecoder().decode(content.subarray(0, end)));
  if (!/^[\w][\w. -]{0,99}$/.test(name)) return "refused: a file's name has letters, digits, dots, dashes and spaces";
  const part = join(directory as string, `${name}.part`);
  if (sha256 === undefined) {
    const file = await open(part, offset === 0 ? "w" : "r+");
    await file.write(content.subarray(end + 1), 0, undefined, offset);
    await file.close();
    return "more";
  }
  const found = createHash("sha256")
    .update(await readFile(part))
    .digest("hex");
  if (found !== sha256) return `damaged: ${found} is not ${sha256}`;
  await rename(part, join(directory as string, name));
  return `complete: ${name}, SHA-256 ${found}`;
}

const client = await connect(socket);
const requests = await client.subscribe({ events: ["request"], topic: "file" });
console.log(`receiving as ${(await client.info()).id}`);
for await (const { from, requestId, content } of requests) {
  const answer = from === sender ? await take(content).catch((error: Error) => `failed: ${error.message}`) : "refused";
  if (answer !== "more") console.log(answer);
  // An asker that has gone meanwhile is no reason to end.
  await client.reply(requestId, new TextEncoder().encode(answer)).catch((error: Error) => console.log(error.message));
}
