import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { multiaddr } from "@multiformats/multiaddr";
import { answer } from "./answer.mjs";
import { startLibp2p } from "./libp2p.mjs";

// An end behind a circuit relay: `listen RELAY` takes streams, `dial RELAY` is told whom to dial through it.
//   echo       sends back what comes
//   receipts   answers each message, of as many bytes as it was told to expect, with RECEIPT_BYTES
//   sink       says how many bytes came once the writer has closed

const RECEIPT_BYTES = 16;
const ECHO = "/bench/echo/1.0.0";
const RECEIPTS = "/bench/receipts/1.0.0";
const SINK = "/bench/sink/1.0.0";
const EVERY_CONNECTION = { runOnLimitedConnection: true };

const [role, relay] = process.argv.slice(2);
const node = await startLibp2p({
  listen: role === "listen" ? [`${relay}/p2p-circuit`] : [],
  transports: [circuitRelayTransport()],
});

let expectedBytes = 0;
await node.handle(
  ECHO,
  (stream) => {
    stream.addEventListener("message", ({ data }) => stream.send(data));
  },
  EVERY_CONNECTION,
);
await node.handle(
  RECEIPTS,
  (stream) => {
    let pending = 0;
    stream.addEventListener("message", ({ data }) => {
      pending += data.byteLength;
      const count = Math.floor(pending / expectedBytes);
      pending -= count * expectedBytes;
      // Those of one read go out together.
      if (count > 0) stream.send(new Uint8Array(count * RECEIPT_BYTES));
    });
  },
  EVERY_CONNECTION,
);
await node.handle(
  SINK,
  (stream) => {
    let received = 0;
    stream.addEventListener("message", ({ data }) => {
      received += data.byteLength;
    });
    stream.addEventListener("remoteCloseWrite", () => {
      stream.send(new TextEncoder().encode(String(received)));
      void stream.close();
    });
  },
  EVERY_CONNECTION,
);

let target;
const open = (protocol) => node.dialProtocol(target, protocol, EVERY_CONNECTION);
const drained = (stream) => new Promise((resolve) => stream.addEventListener("drain", resolve, { once: true }));
let echo;

answer({
  /** Where the relay has made room for it; asked of the listening end. */
  async address() {
    for (;;) {
      const circuit = node.getMultiaddrs().find((address) => address.toString().includes("/p2p-circuit"));
      if (circuit !== undefined) return { address: circuit.toString() };
      await new Promise((resolve) => node.addEventListener("self:peer:update", resolve, { once: true }));
    }
  },
  /** How long the messages are that it is to answer; asked of the listening end. */
  async expect({ sizeBytes }) {
    expectedBytes = sizeBytes;
    return {};
  },
  async connect({ to }) {
    target = multiaddr(to);
    echo = await open(ECHO);
    const via = node.getConnections().map(({ remoteAddr, limits }) => `${remoteAddr}${limits ? " limited" : ""}`);
    return { via };
  },
  /** Round trips one after another on one stream, in ms. */
  async ping({ count, sizeBytes }) {
    const ms = [];
    let pending = 0;
    let onBack = () => {};
    const onMessage = ({ data }) => {
      pending -= data.byteLength;
      if (pending === 0) onBack();
    };
    echo.addEventListener("message", onMessage);
    const content = new Uint8Array(sizeBytes).fill(1);
    for (let i = 0; i < count; i += 1) {
      const start = performance.now();
      const back = new Promise((resolve) => {
        onBack = resolve;
      });
      pending = sizeBytes;
      echo.send(content);
      await back;
      ms.push(performance.now() - start);
    }
    echo.removeEventListener("message", onMessage);
    return { ms };
  },
  /** Messages with at most `window` not receipted. */
  async receipts({ count, sizeBytes, window }) {
    const stream = await open(RECEIPTS);
    const content = new Uint8Array(sizeBytes).fill(1);
    const start = performance.now();
    await new Promise((resolve, reject) => {
      let sent = 0;
      let receivedBytes = 0;
      const fill = () => {
        while (sent < count && sent - receivedBytes / RECEIPT_BYTES < window && !stream.writableNeedsDrain) {
          stream.send(content);
          sent += 1;
        }
      };
      stream.addEventListener("drain", fill);
      stream.addEventListener("close", () => reject(new Error("the stream was closed")));
      stream.addEventListener("message", ({ data }) => {
        receivedBytes += data.byteLength;
        if (receivedBytes === count * RECEIPT_BYTES) resolve();
        else fill();
      });
      fill();
    });
    const ms = performance.now() - start;
    await stream.close();
    return { ms };
  },
  /** Messages one behind another, none answered. */
  async stream({ count, sizeBytes }) {
    const stream = await open(SINK);
    const content = new Uint8Array(sizeBytes).fill(1);
    const start = performance.now();
    const told = new Promise((resolve) => stream.addEventListener("message", ({ data }) => resolve(data.subarray())));
    for (let i = 0; i < count; i += 1) if (!stream.send(content)) await drained(stream);
    await stream.close();
    const received = Number(new TextDecoder().decode(await told));
    if (received !== count * sizeBytes) throw new Error(`only ${received} bytes came`);
    return { ms: performance.now() - start };
  },
});
process.send({ ready: true });
