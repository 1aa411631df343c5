// NodeIds, prologues, labels, locks, stamps: what is derived and never parsed.
import { isNodeId, parseNodeId, protocolPrologue, sha256 } from "@starling/crypto-identity";
import { verifyStamp } from "@starling/hashcash";
import { bigEndianInteger, channelLabel, lockOf, stampHash } from "../../src/index.ts";
import { ALICE, ALICE_SEED, BOB, BOB_SEED, fill, type Json, mintLowest, NETWORK, toJson, utf8 } from "./actors.ts";

const FF30 = "ff".repeat(30);
const NO_IDS: readonly (readonly [string, string])[] = [
  ["", "length"],
  ["0".repeat(63), "length"],
  ["0".repeat(65), "length"],
  [ALICE.id.toUpperCase(), "upper case"],
  [`${ALICE.id.slice(0, 63)}g`, "not hexadecimal"],
  [`${ALICE.id.slice(0, 62)}${(Number.parseInt(ALICE.id.slice(62), 16) | 0x80).toString(16)}`, "bit 255"],
  [`ed${FF30}7f`, "p"],
  [`ee${FF30}7f`, "p + 1"],
  [`ff${FF30}7f`, "2^255 - 1"],
  ["00".repeat(32), "low order"],
  [`01${"00".repeat(31)}`, "low order"],
  ["e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "low order"],
  ["5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "low order"],
  [`ec${FF30}7f`, "low order"],
];
const LABELS: readonly (readonly [string, string])[] = [
  [
    "def10b4e0591b6eb9ddcd71a1c9640575bdd53b22ed521e1628f4dd674c28733",
    "d85e67f8ecedea1b0309fe451bb136903d04a70414ffb50b246f4556bc337c0a",
  ],
  [ALICE.id, BOB.id],
];

export function identityVectors(): Json {
  return toJson({
    nodes: [
      { name: "alice", seed: ALICE_SEED, id: ALICE.id },
      { name: "bob", seed: BOB_SEED, id: BOB.id },
    ],
    ids: [ALICE.id, BOB.id, `eb${FF30}7f`, `09${"00".repeat(31)}`].map((id) => ({ id, valid: isNodeId(id) })),
    noIds: NO_IDS.map(([text, reason]) => ({ text, reason, valid: isNodeId(text) })),
    prologues: ["session", "channel", "envelope"].map((purpose) => ({
      network: NETWORK,
      purpose,
      prologue: protocolPrologue(NETWORK, purpose),
    })),
    channelLabels: LABELS.map(([a, b]) => ({ a, b, label: channelLabel(parseNodeId(a), parseNodeId(b)) })),
    locks: [0, 7].map((byte) => ({ t: fill(16, byte), lock: lockOf(fill(16, byte)) })),
    stamps: stamps(),
  });
}

/** Each with the hash that decides, and its first 64 bits as the integer that effort is compared with. */
function stamps(): Json {
  const digest = sha256(utf8("a stamp"));
  const claims = [1, 2, 1000, 2 ** 14].map((effort) => ({ effort, nonce: mintLowest(digest, effort) }));
  const missed = { effort: 2 ** 40, nonce: fill(8, 9) };
  return toJson(
    [...claims, missed, { effort: 2 ** 48 - 1, nonce: fill(8, 0) }].map(({ effort, nonce }) => {
      const hash = stampHash({ digest, effort, nonce });
      return {
        digest,
        effort,
        nonce,
        hash,
        first64Bits: bigEndianInteger(hash.subarray(0, 8)).toString(),
        valid: verifyStamp({ digest, effort, nonce, floor: 1 }) === "valid",
      };
    }),
  );
}
