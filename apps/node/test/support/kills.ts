// Two daemons under traffic that are killed with SIGKILL again and again, now one, now the other, and started anew:
//   node --conditions=@starling/source kills.ts COUNT SEED [PROGRAM]
// It prints one JSON object and exits 0 where every message with a receipt reached the program at the recipient's, none reached it
// twice, and the keys stayed. A message that the daemon gives again because its program had not acknowledged it is marked so, and
// is not counted as twice.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, LocalClientError, type MessageEvent } from "@starling/local-client";
import { DaemonChild, within } from "@starling/test-processes";

const [count = "10", seedText = "1", program = "node"] = process.argv.slice(2);
const kills = Number(count);
let seed = Number(seedText) >>> 0;
/** Below `max`; the same from the same seed. */
function chance(max: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed % max;
}

const WINDOW = 16;
const PROGRESS_MAX = 60;
const folder = mkdtempSync(join(tmpdir(), "starling-kills-"));
const problems: string[] = [];

type Daemon = { readonly name: string; child: DaemonChild; id: string; listen: string; readonly socket: string };

async function start(name: string, listen: string, bootstrap: string | undefined): Promise<Daemon> {
  const args = ["start", "--data-dir", join(folder, name), "--listen", listen, "--network", "test"];
  const child = new DaemonChild(program, bootstrap === undefined ? args : [...args, "--bootstrap", bootstrap]);
  return { name, child, ...(await child.ready()) };
}

const bob = await start("bob", "127.0.0.1:0", undefined);
const alice = await start("alice", "127.0.0.1:0", `${bob.id}@${bob.listen}`);
const contactOf = ({ id, listen }: Daemon): string => `${id}@${listen}`;
const other = (daemon: Daemon): Daemon => (daemon === alice ? bob : alice);

const receipted = new Set<number>();
const delivered = new Map<number, number>();
const firstTime = new Set<string>();
const acknowledged = new Set<string>();
let redeliveredCount = 0;
let sentCount = 0;
let failedCount = 0;
let stopping = false;
let onProgress = (): void => {};

const sender = await connect(alice.socket, { reconnect: true });
const recipient = await connect(bob.socket, { reconnect: true });

async function send(): Promise<void> {
  while (!stopping) {
    sentCount += 1;
    const number = sentCount;
    try {
      await sender.submit({ to: bob.id, content: new TextEncoder().encode(String(number)), timeoutMs: 5000 });
      receipted.add(number);
      onProgress();
    } catch (error) {
      if (!(error instanceof LocalClientError)) problems.push(String(error));
      failedCount += 1;
    }
  }
}

function take({ messageId, content, redelivered }: MessageEvent): void {
  const number = Number(new TextDecoder().decode(content));
  delivered.set(number, (delivered.get(number) ?? 0) + 1);
  if (acknowledged.has(messageId)) problems.push(`${number} came again after its ack`);
  if (redelivered) redeliveredCount += 1;
  else if (firstTime.has(messageId)) problems.push(`${number} came twice as new`);
  else firstTime.add(messageId);
  recipient.ack(messageId, alice.id).then(
    () => acknowledged.add(messageId),
    // The daemon was killed before it answered: whether it comes again is open.
    () => {},
  );
}

async function receive(): Promise<void> {
  for await (const message of await recipient.subscribe({ events: ["message"], acks: true })) take(message);
}

const receiving = receive();
const senders = Array.from({ length: WINDOW }, send);

for (let kill = 0; kill < kills; kill += 1) {
  const wanted = receipted.size + 1 + chance(PROGRESS_MAX);
  await within(
    `message ${wanted} after ${kill} kills`,
    new Promise<void>((resolve) => {
      onProgress = () => receipted.size >= wanted && resolve();
    }),
    60_000,
  );
  const victim = chance(2) === 0 ? alice : bob;
  await victim.child.stop("SIGKILL");
  const again = await start(victim.name, victim.listen, contactOf(other(victim)));
  if (again.id !== victim.id) problems.push(`${victim.name} has another key`);
  victim.child = again.child;
  if (kill % 10 === 9) process.stderr.write(`\r${kill + 1}/${kills} `);
}

stopping = true;
await within("the end of the senders", Promise.all(senders), 30_000);
const missing = () => [...receipted].filter((number) => !delivered.has(number));
const deadline = performance.now() + 20_000;
while (missing().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
for (const number of missing()) problems.push(`${number} has a receipt and never came`);

sender.close();
recipient.close();
await receiving;
await Promise.all([alice, bob].map(({ child }) => child.stop()));
rmSync(folder, { recursive: true, force: true });
const result = {
  kills,
  sent: sentCount,
  receipted: receipted.size,
  failed: failedCount,
  redelivered: redeliveredCount,
};
process.stdout.write(`${JSON.stringify({ ...result, problems })}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
