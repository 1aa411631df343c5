import { parseNodeId } from "@starling/crypto-identity";
import { bytesToHex, channelLabel, envelopeDigest, envelopeId } from "@starling/wire-protocol";
import { expose } from "./expose.ts";

expose({
  label: ([a, b]: [string, string]): string => channelLabel(parseNodeId(a), parseNodeId(b)),
  envelope({ network, bytes }: { network: string; bytes: number[] }): { digest: string; id: string } {
    const digest = envelopeDigest(network, Uint8Array.from(bytes));
    return { digest: bytesToHex(digest), id: envelopeId(digest) };
  },
});
