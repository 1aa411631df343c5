// What is signed: node records and publications, with the 64 random bytes of each signature fixed.
import {
  type Address,
  type NodeRole,
  publicationDigest,
  publicationId,
  setPublicationStamp,
  signNodeRecord,
  signPublication,
} from "../../src/index.ts";
import {
  ALICE,
  ALICE_SEED,
  BOB,
  BOB_SEED,
  fixedRandom,
  type Json,
  mintLowest,
  NETWORK,
  toJson,
  utf8,
  WALL_MS,
} from "./actors.ts";

const RECORDS: readonly { readonly role: NodeRole; readonly addresses: readonly Address[] }[] = [
  { role: "node", addresses: [] },
  {
    role: "relay",
    addresses: [
      { ip: "192.0.2.1", port: 4100 },
      { ip: "2001:db8::1", port: 4100 },
    ],
  },
];
const PUBLICATIONS = [
  { topic: "news", content: utf8("hello, all") },
  { topic: "", content: new Uint8Array(0) },
];

export function signedVectors(): Json {
  const random = fixedRandom(0x33);
  const records = RECORDS.map(({ role, addresses }, i) => {
    const { encoded } = signNodeRecord({
      identity: BOB,
      network: NETWORK,
      sequence: WALL_MS + i,
      role,
      addresses,
      random,
    });
    return { network: NETWORK, seed: BOB_SEED, id: BOB.id, sequence: WALL_MS + i, role, addresses, record: encoded };
  });
  const publications = PUBLICATIONS.map(({ topic, content }) => {
    const publication = signPublication({
      identity: ALICE,
      network: NETWORK,
      timestampMs: WALL_MS,
      topic,
      content,
      random,
    });
    const digest = publicationDigest(NETWORK, publication);
    // The floor of a Publish, PROTOCOL §7.4: 2^16 for each 512 bytes begun.
    const effort = 2 ** 16 * Math.ceil(publication.length / 512);
    const nonce = mintLowest(digest, effort);
    setPublicationStamp(publication, effort, nonce);
    const fields = { timestampMs: WALL_MS, effort, nonce, topic, content, digest, id: publicationId(digest) };
    return { network: NETWORK, seed: ALICE_SEED, origin: ALICE.id, ...fields, publication };
  });
  return toJson({ signatureRandom: random(64), records, publications });
}
