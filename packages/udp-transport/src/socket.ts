// One UDP socket, for whoever brings the protocol. Nothing that arrives or fails after it is open ends it.
import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import { type Address, canonicalIp } from "@starling/wire-protocol";
import { bindError, UdpError } from "./errors.ts";
import { acceptsSource, createIpReader, createLocalAddresses } from "./source-filter.ts";

/** A burst of a few thousand datagrams; the system cuts it to what it allows. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** What may wait in this process where the system takes no more; asked every so many sends, since asking costs. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;
const SENDS_PER_CHECK = 64;

const NO_COUNTS = {
  received: 0,
  "received.bytes": 0,
  sent: 0,
  "sent.bytes": 0,
  "dropped.source": 0,
  "send.failed": 0,
  "send.queue-full": 0,
  "send.after-close": 0,
  "socket.error": 0,
};
/** What a socket counts: datagrams and bytes both ways, and why some were not sent or not taken. */
export type UdpCounterName = keyof typeof NO_COUNTS;

/** A bound UDP socket, whose failures are counts. */
export type UdpSocket = {
  /** Where it is bound; the port is the real one. */
  readonly address: Address;
  /** A copy. */
  readonly counters: ReadonlyMap<UdpCounterName, number>;
  /** What the system granted: a burst beyond it is lost. */
  readonly receiveBufferBytes: number;
  /** Never throws, never waits; what fails is counted. */
  send(datagram: Uint8Array, to: Address): void;
  /** Frees the port; resolves when it is free. */
  close(): Promise<void>;
};

/** Where a socket is bound, and who is told. */
export type UdpSocketOptions = {
  /** An ip literal of this machine, or 0.0.0.0 or :: for all. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /**
   * Several processes may share the port; the system deals the datagrams out by source address. Sessions live in one process,
   * so a peer that changes its address may reach another. Refused by systems that have no such thing.
   */
  readonly reusePort?: boolean;
  /** Called for each datagram of a possible source, with its bytes, untrusted. */
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
    ...(options.reusePort === undefined ? {} : { reusePort: options.reusePort }),
    // Addresses are literals: without this Node would hand each to the resolver, which costs, and might ask the network.
    lookup: (literal, family, done) => done(null, literal, Number(family)),
  });
  await bind(socket, host, options.port, options.reusePort === true);
  return wrap(socket, options);
}

function bind(socket: Socket, host: string, port: number, isShared: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      socket.close();
      reject(bindError(cause, host, port));
    };
    socket.once("error", fail);
    socket.bind({ address: host, port, exclusive: !isShared }, () => {
      socket.off("error", fail);
      resolve();
    });
  });
}

function wrap(socket: Socket, options: UdpSocketOptions): UdpSocket {
  const bound = socket.address();
  const own: Address = { ip: canonicalIp(bound.address) ?? bound.address, port: bound.port };
  const isSix = bound.family === "IPv6";
  const counts = { ...NO_COUNTS };
  const readIp = createIpReader();
  const local = createLocalAddresses();
  let isQueueFull = false;
  let closing: Promise<void> | undefined;

  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // Some systems refuse instead of cutting; their default has to do.
  }
  socket.on("error", (error) => {
    counts["socket.error"] += 1;
    options.onError?.(error);
  });
  socket.on("message", (bytes, remote) => {
    const ip = readIp(remote.address);
    const from = ip === undefined ? undefined : { ip, port: remote.port };
    if (from === undefined || !acceptsSource(from, own, local)) {
      counts["dropped.source"] += 1;
      return;
    }
    counts.received += 1;
    counts["received.bytes"] += bytes.length;
    options.onDatagram(bytes, from);
  });

  // With a callback Node reports a failed send there; without one it would emit an error on the socket.
  const sent = (error: Error | null): void => {
    if (error !== null) counts["send.failed"] += 1;
  };
  return {
    address: own,
    receiveBufferBytes: receiveBufferOf(socket),
    get counters() {
      return new Map(Object.entries(counts) as [UdpCounterName, number][]);
    },
    send(datagram, to) {
      if (closing !== undefined) {
        counts["send.after-close"] += 1;
        return;
      }
      if (isQueueFull || counts.sent % SENDS_PER_CHECK === 0)
        isQueueFull = socket.getSendQueueSize() > SEND_QUEUE_BYTES;
      if (isQueueFull) {
        counts["send.queue-full"] += 1;
        return;
      }
      counts.sent += 1;
      counts["sent.bytes"] += datagram.length;
      try {
        // A socket for both families knows IPv4 by its mapped form only.
        socket.send(datagram, to.port, isSix && isIP(to.ip) === 4 ? `::ffff:${to.ip}` : to.ip, sent);
      } catch {
        counts["send.failed"] += 1;
      }
    },
    close() {
      closing ??= new Promise((resolve) => socket.close(resolve));
      return closing;
    },
  };
}

function receiveBufferOf(socket: Socket): number {
  try {
    return socket.getRecvBufferSize();
  } catch {
    return 0;
  }
}
