// A service that others ask by key: it answers sums, such as "6 * 7".
//
//   node service.ts SOCKET                       at one node
//   starling request ID "6 * 7" --topic sums     at any other
import { connect } from "@starling/local-client";

const [socket] = process.argv.slice(2);
if (socket === undefined) throw new Error("usage: node service.ts SOCKET");

const OPERATIONS: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** The text is a stranger's: it is parsed, never evaluated. */
function answer(text: string): string {
  const [, a, operator = "", b] = /^\s*(-?\d+(?:\.\d+)?)\s*([-+*/])\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
  const operation = OPERATIONS[operator];
  return operation === undefined
    ? "write two numbers with + - * or / between them"
    : String(operation(Number(a), Number(b)));
}

const client = await connect(socket);
const requests = await client.subscribe({ events: ["request"], topic: "sums" });
console.log(`answering sums as ${(await client.info()).id}`);
for await (const { from, requestId, content } of requests) {
  const question = new TextDecoder().decode(content);
  const reply = answer(question);
  console.log(`${from.slice(0, 8)} asked ${JSON.stringify(question)}: ${reply}`);
  // An asker that has gone meanwhile is no reason to end.
  await client.reply(requestId, new TextEncoder().encode(reply)).catch((error: Error) => console.log(error.message));
}
