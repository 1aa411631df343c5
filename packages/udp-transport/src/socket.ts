// One UDP socket, for whoever brings the protocol. Nothing that arrives or fails after it is open ends it.
import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { type Address, canonicalIp } from "@starling/wire-protocol";
import { bindError, UdpError } from "./errors.ts";
import { acceptsSource, createIpReader, createLocalIps } from "./source-filter.ts";

/** A burst of a few thousand datagrams; the system cuts it to what it allows. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export type UdpCounterName =
  | "received"
  | "received.bytes"
  | "sent"
  | "sent.bytes"
  | "dropped.source"
  | "send.failed"
  | "send.after-close"
  | "socket.error";

export type UdpSocket = {
  /** Where it is bound; the port is the real one. */
  readonly address: Address;
  readonly counters: ReadonlyMap<UdpCounterName, number>;
  /** Never throws, never waits; what fails is counted. */
  send(datagram: Uint8Array, to: Address): void;
  close(): Promise<void>;
};

export type UdpSocketOptions = {
  /** An ip literal of this machine, or 0.0.0.0 or :: for all. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly onDatagram: (bytes: Uint8Array, from: Address) => void;
  /** Errors of the open socket, for a log; it stays open. */
  readonly onError?: (error: Error) => void;
};

/** Rejects with a UdpError: `E_BAD_ADDRESS`, `E_PORT_TAKEN`, `E_ADDRESS_NOT_HERE`, `E_PORT_FORBIDDEN` or `E_SOCKET`. */
export async function openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket> {
  const host = canonicalIp(options.host);
  if (host === undefined) {
    throw new UdpError(
      "E_BAD_ADDRESS",
      `'${options.host}' is no ip address: give one of this machine, or 0.0.0.0 or ::`,
    );
  }
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65_535) {
    throw new UdpError("E_BAD_ADDRESS", `${options.port} is no port: choose 1 to 65535, or 0 for a free one`);
  }
  const socket = createSocket({
    type: isIP(host) === 6 ? "udp6" : "udp4",
    // Addresses are literals: without this Node would hand each to the resolver, which costs, and might ask the network.
    lookup: (literal, family, done) => done(null, literal, Number(family)),
  });
  await bind(socket, host, options.port);
  return wrap(socket, options);
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      socket.close();
      reject(bindError(cause, host, port));
    };
    socket.once("error", fail);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off("error", fail);
      resolve();
    });
  });
}

function wrap(socket: Socket, options: UdpSocketOptions): UdpSocket {
  const bound = socket.address();
  const own: Address = { ip: canonicalIp(bound.address) ?? bound.address, port: bound.port };
  const isSix = bound.family === "IPv6";
  // BOUNDED: by the names of the type.
  const counters = new Map<UdpCounterName, number>();
  const count = (name: UdpCounterName, amount = 1): void => {
    counters.set(name, (counters.get(name) ?? 0) + amount);
  };
  const readIp = createIpReader();
  const localIps = createLocalIps();
  let closing: Promise<void> | undefined;

  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // Some systems refuse instead of cutting; their default has to do.
  }
  socket.on("error", (error) => {
    count("socket.error");
    options.onError?.(error);
  });
  socket.on("message", (bytes, remote) => {
    const ip = readIp(remote.address);
    const from = ip === undefined ? undefined : { ip, port: remote.port };
    if (from === undefined || !acceptsSource(from, own, localIps)) {
      count("dropped.source");
      return;
    }
    count("received");
    count("received.bytes", bytes.length);
    options.onDatagram(bytes, from);
  });

  // With a callback Node reports a failed send there; without one it would emit an error on the socket.
  const sent = (error: Error | null): void => {
    if (error !== null) count("send.failed");
  };
  return {
    address: own,
    counters,
    send(datagram, to) {
      if (closing !== undefined) {
        count("send.after-close");
        return;
      }
      count("sent");
      count("sent.bytes", datagram.length);
      try {
        // A socket for both families knows IPv4 by its mapped form only.
        socket.send(datagram, to.port, isSix && isIP(to.ip) === 4 ? `::ffff:${to.ip}` : to.ip, sent);
      } catch {
        count("send.failed");
      }
    },
    close() {
      closing ??= new Promise((resolve) => socket.close(resolve));
      return closing;
    },
  };
}
