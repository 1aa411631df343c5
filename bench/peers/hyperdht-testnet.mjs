import createTestnet from "hyperdht/testnet.js";

// HyperDHT's own testnet: COUNT nodes of the DHT on loopback in this process.

const testnet = await createTestnet(Number(process.argv[2]));
process.on("disconnect", () => process.exit(0));
process.send({ bootstrap: testnet.bootstrap });
