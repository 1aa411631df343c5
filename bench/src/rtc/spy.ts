// What this process sends by UDP: every socket's `send`, watched.
import { Socket } from "node:dgram";

export type Sent = { readonly socket: Socket; readonly data: Buffer; readonly port: number; readonly ip: string };

/** Calls back with each datagram until it is stopped. */
export function watchDatagrams(onSent: (sent: Sent) => void): () => void {
  const { send } = Socket.prototype;
  Socket.prototype.send = function (this: Socket, ...parts: unknown[]): void {
    const data = parts[0];
    // `send(data, offset, length, port, ip)` or `send(data, port, ip)`.
    const [port, ip] = typeof parts[2] === "number" ? parts.slice(3) : parts.slice(1);
    if (Buffer.isBuffer(data)) onSent({ socket: this, data, port: Number(port), ip: String(ip) });
    Reflect.apply(send, this, parts);
  };
  return () => {
    Socket.prototype.send = send;
  };
}
