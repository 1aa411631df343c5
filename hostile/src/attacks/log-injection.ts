import { pass } from "@starling/lab/deadline";
import { connect } from "@starling/local-client";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type Attack, atLeast, atMost } from "../attack.ts";
import { CraftedPeer } from "../tools/crafted-peer.ts";

// Whatever a stranger can put into a log: links that open and end a hundred times a second with reasons of his choice, texts with
// line breaks and escape sequences in every field that takes one. Both programs log at "debug".

const LINKS = 150;
const PER_STEP = 5;
const STEP_MS = 30;
const SETTLE_MS = 500;
const LINES_PER_SECOND = 100;
const EVIL = 'x\r\n{"level":"fatal","msg":"forged"}\u001b[2J\u0007\u202e\u2028\u0085y';
/** What has no place in a line of JSON: C0 but the line's end, DEL, C1, separators and what turns text around. */
const RAW = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

export const logInjection: Attack = {
  name: "log-injection",
  does: `puts line breaks and escape sequences into every text, and opens and ends ${LINKS} links`,
  on: "target",
  async run({ target, relay, network, node }) {
    const daemons = [relay, node].filter((daemon) => daemon !== undefined);
    const from = daemons.map((daemon) => daemon.saidBytes);
    const program = await connect(node.socket);
    const content = new TextEncoder().encode(EVIL);
    const calls = [
      program.submit({ to: EVIL, content, topic: EVIL }),
      program.submit({ to: node.id, content, topic: EVIL, timeoutMs: 100 }),
      program.broadcast(content, EVIL),
      program.connectPeer(EVIL),
      program.connectPeer(target.id, EVIL),
      program.disconnectPeer(EVIL),
      program.trace(EVIL),
      program.ack(EVIL, EVIL),
    ];
    await Promise.allSettled(calls);
    program.close();
    let badCount = calls.length;
    for (const to of [target, { id: node.id, address: node.address }]) {
      for (let i = 0; i < LINKS; i += 1) {
        const peer = await CraftedPeer.open(to, network);
        peer.say(FRAME_KIND.bye, Uint8Array.of(i % 4));
        peer.close();
        badCount += 2;
        if (i % PER_STEP === 0) await pass(STEP_MS);
      }
    }
    await pass(SETTLE_MS);
    const lines = daemons.flatMap((daemon, index) =>
      daemon.saidSince(from[index]).toString().split("\n").filter(Boolean),
    );
    const raw = lines.filter((line) => RAW.test(line)).length;
    const forged = lines.filter((line) => !isLogLine(line)).length;
    return {
      badCount,
      checks: [
        atLeast("S21", "lines logged meanwhile", lines.length, 1),
        atMost("S21", "lines with a raw control character", raw, 0),
        atMost("S21", "lines that are not the program's own", forged, 0),
        atMost("S21", "lines of one cause in a second", busiest(lines), LINES_PER_SECOND),
      ],
    };
  },
};

function isLogLine(line: string): boolean {
  try {
    const entry = JSON.parse(line);
    return typeof entry.name === "string" && entry.name.startsWith("starling") && entry.msg !== "forged";
  } catch {
    return false;
  }
}

/** The most lines with the same text of one program within the same second. */
function busiest(lines: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of lines.filter(isLogLine)) {
    const { name, msg, time } = JSON.parse(line);
    const key = `${name} ${msg} ${String(time).slice(0, 19)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
