// Sends a file in parts, and ends well only when the receiver has the whole of it with the same SHA-256.
//
//   node send-file.ts SOCKET ID FILE
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { connect } from "@starling/local-client";

const PART_BYTES = 48 * 1024;
const [socket, to, path] = process.argv.slice(2);
if (socket === undefined || to === undefined || path === undefined)
  throw new Error("usage: node send-file.ts SOCKET ID FILE");

const client = await connect(socket);
const file = await open(path);
const { size } = await file.stat();
const hash = createHash("sha256");

/** Asks and waits for the answer, so that the receiver sets the pace. */
async function ask(head: object, part: Uint8Array = new Uint8Array(0)): Promise<string> {
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), part]);
  const { content: answer } = await client.request({ to: to as string, content, topic: "file", timeoutMs: 30_000 });
  return new TextDecoder().decode(answer);
}

let offset = 0;
for await (const part of file.readableWebStream() as AsyncIterable<ArrayBuffer | Uint8Array>) {
  const bytes = new Uint8Array(part instanceof Uint8Array ? part : new Uint8Array(part));
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    const piece = bytes.subarray(at, at + PART_BYTES);
    hash.update(piece);
    await ask({ name: basename(path), offset }, piece);
    offset += piece.length;
    process.stderr.write(`\r${offset} of ${size} bytes `);
  }
}
const verdict = await ask({ name: basename(path), sha256: hash.digest("hex") });
console.log(`\n${verdict}`);
client.close();
process.exitCode = verdict.startsWith("complete") ? 0 : 1;
