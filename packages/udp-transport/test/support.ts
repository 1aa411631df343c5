import { generateIdentity } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import {
  createSecureUdp,
  openUdpSocket,
  type SecureUdp,
  type SecureUdpMessage,
  type SecureUdpOptions,
  type UdpSocket,
} from "../src/index.ts";

/** Promise.withResolvers, which the language version of the libraries does not have yet. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export const random = (sizeBytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(sizeBytes));
const open: { close(): Promise<void> }[] = [];

/** For afterEach. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((each) => each.close()));
}

/** Will be closed by closeAll. */
export function opened<T extends { close(): Promise<void> }>(each: T): T {
  open.push(each);
  return each;
}

export async function socketOn(
  host: string,
  onDatagram: (bytes: Uint8Array, from: Address) => void,
  port = 0,
): Promise<UdpSocket> {
  const socket = await openUdpSocket({ host, port, onDatagram });
  open.push(socket);
  return socket;
}

type Box = { readonly messages: SecureUdpMessage[]; next(): Promise<void> };

export async function secureOn(
  host: string,
  options: Partial<SecureUdpOptions> = {},
): Promise<{ secure: SecureUdp; box: Box }> {
  const messages: Box["messages"] = [];
  let wake: () => void = () => undefined;
  const secure = await createSecureUdp({
    identity: generateIdentity(random),
    network: "test",
    host,
    port: 0,
    onMessage(message) {
      messages.push(message);
      wake();
    },
    ...options,
  });
  open.push(secure);
  return { secure, box: { messages, next: () => new Promise((resolve) => (wake = resolve)) } };
}

/** Resolves when it holds, which is looked at in every turn of the event loop; rejects after a while. */
export async function eventually(holds: () => boolean, withinMs = 8_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${holds}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
