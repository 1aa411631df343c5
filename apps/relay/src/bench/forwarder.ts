import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { createSocket } from "node:dgram";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { EXIT } from "@starling/daemon";
import { createLog } from "@starling/daemon/log";
import { readRelayConfig } from "../config.ts";
import { startRelay } from "../wiring.ts";

// What is measured, each in a process of its own: this relay, and beside it
//   plain   a socket of Node's that sends each datagram back to where it came from
//   aead    the same, opened under one key and sealed under another: what the relay's own encryption allows

export const MODES = ["plain", "aead", "relay"] as const;
export type Mode = (typeof MODES)[number];

const TAG_BYTES = 16;
const NONCE_BYTES = 12;
export const KEY_IN: KeyObject = createSecretKey(Buffer.alloc(32, 1));
const KEY_OUT = createSecretKey(Buffer.alloc(32, 2));

/** nonce 12, ciphertext, tag 16. */
export function seal(key: KeyObject, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

function reseal(bytes: Uint8Array): Uint8Array {
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", KEY_IN, nonce);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  decipher.final();
  return seal(KEY_OUT, nonce, plaintext);
}

/** Runs until the parent lets go; tells its cost whenever it is asked. */
export async function runForwarder(mode: string, dataDir: string): Promise<number> {
  // `limited:N` is a relay with its usual quotas, but N messages a second of each peer.
  const [, maxForward] = /^limited:(\d+)$/.exec(mode) ?? [];
  const changes = maxForward === undefined ? UNLIMITED : { maxForward: `${maxForward}/s` };
  const isEcho = mode === "plain" || mode === "aead";
  const started = isEcho ? await startEcho(mode === "aead") : await startMeasuredRelay(dataDir, changes);
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  process.on("message", (what: string | { readonly type: string; readonly sizeBytes?: number }) => {
    const type = typeof what === "string" ? what : what.type;
    // A collection costs; what it costs is not the messages'.
    if (type === "memory") collect();
    if (type === "load") {
      const { sizeBytes = 0 } = what as { readonly sizeBytes?: number };
      const plaintext = Buffer.alloc(sizeBytes - NONCE_BYTES - TAG_BYTES, 1);
      process.send?.({ datagram: Buffer.from(seal(KEY_IN, Buffer.alloc(NONCE_BYTES), plaintext)).toString("base64") });
      return;
    }
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() });
  });
  process.send?.(started);
  await new Promise<void>((resolve) => process.on("disconnect", resolve));
  process.exit(EXIT.ok);
}

const UNLIMITED = {
  maxPeers: 10_000,
  maxHandshakes: "10000/s",
  maxForward: "1000000/s",
  maxForwardBytes: "10000000000/s",
  maxRecipient: "1000000/s",
  maxRecipientBytes: "10000000000/s",
  maxTotal: "1000000/s",
  maxTotalBytes: "10000000000/s",
};

async function startMeasuredRelay(
  dataDir: string,
  changes: Readonly<Record<string, string | number>>,
): Promise<{ port: number; id: string }> {
  const flags = { dataDir, listen: "127.0.0.1:0", network: "bench", passive: true, ...changes };
  // The stamps of the load are as dear to check as any, and free to make.
  const relay = await startRelay(readRelayConfig(flags, {}, undefined), createLog({ level: "silent", name: "bench" }), {
    floor: () => 1,
  });
  return { port: Number(relay.listen.split(":").at(-1)), id: relay.id };
}

async function startEcho(isSealing: boolean): Promise<{ port: number; id: string }> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    lookup: (literal, family, done) => done(null, literal, Number(family)),
  });
  socket.on("message", (bytes, { address, port }) => socket.send(isSealing ? reseal(bytes) : bytes, port, address));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, id: "" };
}
