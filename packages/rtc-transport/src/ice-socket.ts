// One UDP socket of a channel, bound to one address of this machine, in the shape werift's StunProtocol asks for. Ours and not
// werift's, which binds to the wildcard, and through which nothing could be filtered. Nothing that fails here throws.
import { createSocket } from "node:dgram";
import { isIP } from "node:net";
import type { DatagramTransport, WeriftAddress } from "./werift.ts";

export type IceSocket = {
  readonly ip: string;
  readonly port: number;
  readonly transport: DatagramTransport;
};

/** Resolves with undefined where the address cannot be bound. */
export function openIceSocket(
  ip: string,
  onDatagram: (data: Buffer, from: WeriftAddress) => void,
  maySend: (data: Uint8Array, to: WeriftAddress) => boolean,
): Promise<IceSocket | undefined> {
  const family = isIP(ip) === 6 ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    // Every address is a literal: nothing here may ask a resolver.
    lookup: (literal, _family, done) => done(null, literal, family),
  });
  return new Promise((resolve) => {
    let isClosed = false;
    const closed = new Promise<void>((done) => socket.once("close", done));
    let isBound = false;
    socket.on("error", () => {
      // Once it is bound this is a send that failed, which ICE and SCTP repeat.
      if (isBound) return;
      void transport.close();
      resolve(undefined);
    });
    socket.on("message", (data, { address, port }) => {
      if (isClosed || port === 0) return;
      onDatagram(data, [address.split("%")[0] ?? address, port]);
    });
    const transport: DatagramTransport = {
      type: "udp",
      addressFamily: family,
      get closed() {
        return isClosed;
      },
      async send(data, to) {
        if (isClosed || to === undefined || !maySend(data, to)) return;
        try {
          socket.send(data, to[1], to[0]);
        } catch {
          // A port or an address that Node refuses outright.
        }
      },
      close() {
        if (!isClosed) {
          isClosed = true;
          socket.close();
        }
        return closed;
      },
    };
    socket.bind({ address: ip, port: 0, exclusive: true }, () => {
      isBound = true;
      resolve({ ip, port: socket.address().port, transport });
    });
  });
}
