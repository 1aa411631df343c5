import { generateIdentity, systemRandom as random } from "@starling/crypto-identity";
import { RelayCore, type RelayInput, type RelayOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { formatAddress } from "@starling/wire-protocol";
import { readContact } from "./core-node.ts";

// COUNT relays on loopback in this process, that know the first of them, as HyperDHT's testnet has its nodes.

const contacts: string[] = [];
for (let index = 0; index < Number(process.argv[2]); index += 1) {
  const identity = generateIdentity(random);
  const bootstrap = contacts.slice(0, 1).map(readContact);
  const core = new RelayCore(
    { identity, network: "bench", bootstrap, announce: [], maxNeighbours: 256, random },
    systemNow(),
  );
  let driver: Driver<RelayInput> | undefined;
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    onDatagram: (bytes, from) => driver?.feed({ type: "datagram", bytes, from }),
  });
  driver = startDriver<RelayInput, RelayOutput>({
    core,
    perform: (output) => {
      if (output.type === "transmit") socket.send(output.datagram, output.to);
    },
  });
  contacts.push(`${identity.id}@${formatAddress(socket.address)}`);
}
process.on("disconnect", () => process.exit(0));
process.send?.({ contacts });
