import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";

/** A node as the README of js-libp2p makes it, on loopback. */
export function startLibp2p({ listen = ["/ip4/127.0.0.1/tcp/0"], transports = [], services = {}, ...rest }) {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp(), ...transports],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ...services },
    ...rest,
  });
}
