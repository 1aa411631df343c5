import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { pass, within } from "@starling/lab/deadline";
import { connect } from "@starling/local-client";
import { WebSocket } from "ws";
import { type Attack, atLeast, atMost, type Scene } from "../attack.ts";

// What programs of the machine can do to a daemon whose socket they may open, and what pages and other users can try.

const DEEP = 20_000;
const HUGE_BYTES = 16 * 1024 * 1024;
const IDLE = 1_000;
/** What the daemon takes; the system itself keeps some hundred more until the daemon has looked at them. */
const CONNECTIONS = 256;
const IDLE_MS = 15_000;
const ASKED = 100_000;
const ANSWER_MS = 5_000;
const NOBODY = 65_534;

export const localApi: Attack = {
  name: "local-api",
  does: "a local program sends depth, size, prototype keys and floods; pages and other users try to get in",
  on: "node",
  // A message of 16 MB is on its way in before it is too long.
  growthAtMostMb: 64,
  async run(scene) {
    const { node, pair } = scene;
    const before = (await pair.recipient.status()).id;
    const answers = await Promise.all(MALFORMED.map((line) => answerTo(node.socket, line)));
    const accepted = answers.filter((answer) => answer.includes('"result"')).length;
    const tooLarge = await answerTo(node.socket, Buffer.alloc(HUGE_BYTES, 0x20));
    await silentAsker(node.socket);
    const idle = await idleConnections(node.socket);
    const doors = await tryDoors(scene);
    const stranger = asNobody(node.socket);
    const client = await connect(node.socket);
    const info = await client.info();
    const polluted = Object.keys(info).filter((key) => key.startsWith("polluted")).length;
    client.close();
    return {
      badCount: MALFORMED.length + 1 + ASKED + IDLE + doors.tried,
      checks: [
        atMost("S19", `of ${MALFORMED.length} malformed requests, answered by a result`, accepted, 0),
        atMost("S19", "a line of 16 MB not refused", tooLarge.includes("E_TOO_LARGE") ? 0 : 1, 0),
        atLeast("S19", "connections taken of 1,000 idle ones", idle, 100),
        atMost("S19", "connections taken of 1,000 idle ones", idle, CONNECTIONS),
        atMost("S19", `of ${doors.tried} wrong Hosts, Origins and tokens, let in`, doors.entered, 0),
        atLeast("S19", "let in with the token, so that the others could", doors.rightful, 1),
        ...(stranger === undefined ? [] : [atMost("S19", "another user let in", stranger, 0)]),
        atMost("S19", "fields that a request's keys put into answers", polluted, 0),
        atMost("S19", "daemons that are another than before", info.id === before ? 0 : 1, 0),
      ],
      ...(stranger === undefined ? { note: "no other user tried: that needs root" } : {}),
    };
  },
};

const request = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;
const MALFORMED: readonly string[] = [
  "[".repeat(DEEP),
  request("node.info", `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`),
  request("message.submit", '{"__proto__":{"polluted":1},"to":"x","content":""}'),
  request("message.submit", '{"constructor":{"prototype":{"polluted":1}},"to":"x","content":""}'),
  request("__proto__", "{}"),
  request("constructor", "{}"),
  request("toString", "{}"),
  request("message.submit", '{"to":"x","content":"","timeoutMs":1e400}'),
  request("message.submit", '{"to":"x","content":"","timeoutMs":-1}'),
  request("message.submit", `{"to":"${"00".repeat(32)}","content":""}`),
  request("message.submit", `{"to":"x","content":"${"A".repeat(100_000)}"}`),
  request("subscribe", '{"events":["message","__proto__"]}'),
  request("peers.connect", '{"id":"\\u0000\\u001b[2J","address":"127.0.0.1:1"}'),
  `[${Array(10_000).fill(request("node.info", "{}")).join()}]`,
  '{"jsonrpc":"2.0","id":{"a":1},"method":"node.info"}',
  "null",
  "\u0000\u0001\u0002",
  "{",
];

/** The first line that comes back, or what the end of the connection says. */
async function answerTo(path: string, line: string | Buffer): Promise<string> {
  const socket = connectSocket(path);
  const answer = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text);
    });
    socket.on("error", (error) => resolve(text || error.message));
    socket.on("close", () => resolve(text || "closed"));
  });
  socket.write(line);
  socket.write("\n");
  try {
    return await within(ANSWER_MS, "an answer of the local API", answer);
  } finally {
    socket.destroy();
  }
}

/** Subscribes and asks a hundred thousand things, and never reads a byte. */
async function silentAsker(path: string): Promise<void> {
  const socket = connectSocket(path);
  socket.on("error", () => undefined);
  socket.pause();
  socket.write(`${request("subscribe", '{"events":["message","status","peer","link"]}')}\n`);
  const portion = `${request("node.status", "{}")}\n`.repeat(1_000);
  for (let asked = 0; asked < ASKED; asked += 1_000) {
    // Where the daemon reads no more, what is written waits in this process.
    socket.write(portion);
    await pass(5);
  }
  await pass(300);
  socket.destroy();
}

/** How many of a thousand connections are kept open by a daemon that hears nothing on them, once it has come to look at all. */
async function idleConnections(path: string): Promise<number> {
  const open = new Set<Socket>();
  const all = Array.from({ length: IDLE }, () => {
    const socket = connectSocket(path);
    socket.on("connect", () => open.add(socket));
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
    socket.resume();
    return socket;
  });
  await pass(500);
  const untilMs = performance.now() + IDLE_MS;
  let kept = Number.POSITIVE_INFINITY;
  while (open.size < kept || (kept > CONNECTIONS && performance.now() < untilMs)) {
    kept = open.size;
    await pass(500);
  }
  for (const socket of all) socket.destroy();
  await pass(200);
  return kept;
}

type Doors = { readonly tried: number; readonly entered: number; readonly rightful: number };

async function tryDoors({ node }: Scene): Promise<Doors> {
  const token = readFileSync(join(node.dataDir, "http-token"), "latin1").trim();
  const port = node.http.slice(node.http.lastIndexOf(":") + 1);
  const wrong = await Promise.all([
    enter(node.http, token, { host: `127.0.0.1.attacker.example:${port}` }),
    enter(node.http, token, { host: `attacker.example:${port}` }),
    enter(node.http, token, { origin: "https://attacker.example" }),
    enter(node.http, token, { origin: `http://127.0.0.1.attacker.example:${port}` }),
    enter(node.http, token, { origin: "null" }),
    enter(node.http, "", {}),
    enter(node.http, "0".repeat(64), {}),
    enter(node.http, token.slice(0, 63), {}),
    enter(
      node.http,
      token.toUpperCase().replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
      {},
    ),
  ]);
  const rightful = (await enter(node.http, token, {})) ? 1 : 0;
  return { tried: wrong.length, entered: wrong.filter(Boolean).length, rightful };
}

/** Whether a call runs: over WebSocket, with this token as the first message. */
function enter(http: string, token: string, headers: Record<string, string>): Promise<boolean> {
  const socket = new WebSocket(`ws://${http}/lpc`, { headers });
  return new Promise((resolve) => {
    const end = (hasRun: boolean) => {
      socket.terminate();
      resolve(hasRun);
    };
    socket.on("open", () => {
      socket.send(request("authenticate", JSON.stringify({ token })));
      socket.send(request("node.info", "{}"));
    });
    socket.on("message", (data) => {
      if (String(data).includes('"network"')) end(true);
    });
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
  });
}

/** Whether a process of another user gets a connection: 1 or 0; undefined where none can be started. */
function asNobody(path: string): number | undefined {
  const program = `require("net").connect(${JSON.stringify(path)}).on("connect", () => process.exit(7)).on("error", (e) => process.exit(e.code === "EACCES" ? 3 : 4))`;
  const { status } = spawnSync("node", ["-e", program], { uid: NOBODY, gid: NOBODY, cwd: "/" });
  return status === 7 ? 1 : status === 3 ? 0 : undefined;
}
