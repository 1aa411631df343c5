import { parseNodeId } from "@starling/crypto-identity/node-id";
import type { Contact } from "@starling/wire-protocol";
import { formatAddress, parseAddress } from "@starling/wire-protocol/address";
import { checkedLine, readCheckedLine } from "./checked-line.ts";
import { wholeFile } from "./whole-file.ts";

// The peers that a node knew, kept in its data directory for its next start: `ID@IP:PORT CRC-32`, one a line, the anchors first. It
// is a hint and no more: what is missing, cut off or damaged costs the node its memory of some others, never its start.

const FILE = "peers";
// BOUNDED: what a longer file says behind them is left out.
const PEERS_MAX = 256;
const FILE_MAX_CHARACTERS = 64 * 1024;

/** The file that keeps contacts from one run to the next, in a data directory. */
export type SavedPeersFile = {
  /** What was saved last; empty where nothing can be read. */
  read(): Promise<readonly Contact[]>;
  /** Replaces what is saved; calls are carried out one after the other. Rejects where the disk does. */
  write(peers: readonly Contact[]): Promise<void>;
  /** When all writes so far have ended, well or not. */
  settled(): Promise<void>;
};

/** The file of saved peers in a data directory. */
export function savedPeersFile(dataDir: { path(name: string): string }): SavedPeersFile {
  const file = wholeFile(dataDir.path(FILE));
  return {
    async read() {
      const text = (await file.read()) ?? "";
      return text.slice(0, FILE_MAX_CHARACTERS).split("\n").slice(0, PEERS_MAX).flatMap(contactOf);
    },
    write(peers) {
      return file.write(peers.map(({ id, address }) => checkedLine(`${id}@${formatAddress(address)}`)).join(""));
    },
    settled: () => file.settled(),
  };
}

function contactOf(line: string): Contact[] {
  const contact = readCheckedLine(`${line}\n`);
  if (contact === undefined) return [];
  const at = contact.indexOf("@");
  try {
    return [{ id: parseNodeId(contact.slice(0, at)), address: parseAddress(contact.slice(at + 1)) }];
  } catch {
    return [];
  }
}
