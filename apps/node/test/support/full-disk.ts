// A process whose files may not grow over a few kilobytes (by ulimit), as on a disk that is full: it puts entries into a journal
// until one is refused, then smaller ones that still fit, and prints which were promised.
import { identityFromSeed } from "@starling/crypto-identity";
import type { InboxEntry } from "@starling/node-core";
import { InboxJournal } from "../../src/inbox/inbox-journal.ts";

// Without a handler the signal of the limit would end the process; with one the write fails, as it does on a full disk.
process.on("SIGXFSZ", () => {});

const [path = ""] = process.argv.slice(2);
const from = identityFromSeed(new Uint8Array(32).fill(1)).id;
const entry = (i: number, sizeBytes: number): InboxEntry => ({
  key: `${from}:${i}`,
  kind: "message",
  from,
  messageId: `${i}`,
  topic: "",
  content: new Uint8Array(sizeBytes),
  path: "relayed",
  receivedAtMs: 0,
  expiresMs: 2_000_000_000_000,
  stream: "00",
  seq: i,
  lowestUnsettledSeq: 0,
});

const { journal } = await InboxJournal.open({ path, wallMs: () => 0 });
const promised: string[] = [];
let refused = 0;
for (let i = 0; i < 40; i += 1) {
  try {
    await journal.put([entry(i, i % 3 === 0 ? 1500 : 10)]);
    promised.push(entry(i, 0).key);
  } catch {
    refused += 1;
  }
}
await journal.close();
console.log(JSON.stringify({ promised, refused }));
