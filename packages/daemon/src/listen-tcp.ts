import type { Server } from "node:http";
import { type Address, formatAddress } from "@starling/wire-protocol/address";
import { CommandError } from "./errors.ts";
import { EXIT } from "./exit.ts";

/** Resolves with the real port. Rejects with `E_PORT_TAKEN`, `E_ADDRESS_NOT_HERE`, `E_PORT_FORBIDDEN` or `E_SOCKET`, all of `--http`. */
export function listenTcp(server: Server, { ip, port }: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, { ip, port })));
    server.listen({ host: ip, port }, () => {
      const bound = server.address();
      if (bound !== null && typeof bound === "object") resolve({ ip, port: bound.port });
    });
  });
}

function listenError(error: Error, listen: Address): CommandError {
  const where = `TCP ${formatAddress(listen)}`;
  const [code, message] = explain("code" in error ? String(error.code) : error.message, where);
  return new CommandError(code, message, EXIT.unavailable, { cause: error });
}

function explain(errno: string, where: string): readonly [code: string, message: string] {
  switch (errno) {
    case "EADDRINUSE":
      return ["E_PORT_TAKEN", `${where} is in use by another program; stop it, or give --http another port`];
    case "EADDRNOTAVAIL":
      return ["E_ADDRESS_NOT_HERE", `${where} is no address of this machine; give --http one that is`];
    case "EACCES":
      return ["E_PORT_FORBIDDEN", `this user may not listen on ${where}; give --http a port above 1023`];
    default:
      return [
        "E_SOCKET",
        `cannot listen on ${where} (${errno}); give --http another address, and see that this system has that kind of address and sockets to spare`,
      ];
  }
}
