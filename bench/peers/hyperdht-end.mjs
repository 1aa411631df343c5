import DHT from "hyperdht";
import { answer } from "./answer.mjs";

// An end of HyperDHT, `hyperdht-end.mjs BOOTSTRAP`: it listens with a key made new, and sends back what comes; or it dials a key.

const dht = new DHT({ bootstrap: JSON.parse(process.argv[2]), host: "127.0.0.1" });
await dht.fullyBootstrapped();
let server;

answer({
  /** A key nobody has heard of; the one before it is not listened with any more. */
  async listen() {
    await server?.close();
    server = dht.createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => socket.write(data));
    });
    const keyPair = DHT.keyPair();
    await server.listen(keyPair);
    return { to: keyPair.publicKey.toString("hex") };
  },
  /** From the dial to the open connection, and to the first byte that comes back over it. */
  async dial({ to, sizeBytes }) {
    const start = performance.now();
    const socket = dht.connect(Buffer.from(to, "hex"));
    let openMs;
    socket.on("open", () => {
      openMs = performance.now() - start;
    });
    socket.write(Buffer.alloc(sizeBytes, 1));
    await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
    const firstByteMs = performance.now() - start;
    socket.on("error", () => {});
    socket.destroy();
    return { openMs, firstByteMs };
  },
});
process.send({ ready: true });
