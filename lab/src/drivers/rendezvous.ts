// The servers of the laboratory's own checks: what a STUN server of two addresses and two ports does (RFC 5780), and a meeting point
// that tells peers each other's address and passes messages on. Plain UDP, for it tests routers and nothing of ours.
//   rendezvous IP_1 IP_2
import { createSocket, type Socket } from "node:dgram";
import { serve } from "./serve.ts";

const PORTS: readonly number[] = [3478, 3479];
const ips = process.argv.slice(2);
const sockets = new Map<string, Socket>();
const peers = new Map<string, { readonly ip: string; readonly port: number; readonly socket: Socket }>();

type Request = {
  readonly t: string;
  readonly nonce?: number;
  readonly from?: string;
  readonly to?: string;
  /** Which of our addresses is to answer, "0:1" for the first ip and the second port. */
  readonly via?: string;
  readonly ip?: string;
  readonly port?: number;
};

function receive(socket: Socket, text: string, ip: string, port: number): void {
  const request = JSON.parse(text) as Request;
  const tell = (via: Socket, answer: object, toPort = port, toIp = ip): void => {
    via.send(JSON.stringify(answer), toPort, toIp);
  };
  switch (request.t) {
    case "map":
      tell(sockets.get(request.via ?? "") ?? socket, { t: "mapped", nonce: request.nonce, ip, port });
      return;
    case "tell":
      tell(socket, { t: "told" }, Number(request.port), request.ip);
      return;
    case "meet": {
      peers.set(String(request.from), { ip, port, socket });
      const other = peers.get(String(request.to));
      if (other !== undefined) tell(socket, { t: "peer", ip: other.ip, port: other.port });
      return;
    }
    case "pass": {
      const other = peers.get(String(request.to));
      if (other !== undefined) tell(other.socket, { t: "passed", from: request.from }, other.port, other.ip);
      return;
    }
  }
}

for (const [i, ip] of ips.entries()) {
  for (const [p, port] of PORTS.entries()) {
    const socket = createSocket("udp4");
    socket.on("message", (bytes, from) => receive(socket, bytes.toString(), from.address, from.port));
    await new Promise<void>((resolve) => socket.bind(port, ip, resolve));
    sockets.set(`${i}:${p}`, socket);
  }
}
serve({});
