import { circuitRelayServer } from "@libp2p/circuit-relay-v2";
import { answer } from "./answer.mjs";
import { startLibp2p } from "./libp2p.mjs";

// A circuit relay v2 without its default limits, which end a connection after two minutes or 128 KiB.

const relay = circuitRelayServer({ reservations: { applyDefaultLimit: false } });
const node = await startLibp2p({ services: { relay } });
answer({});
process.send({ address: node.getMultiaddrs()[0].toString() });
