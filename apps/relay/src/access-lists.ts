import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { type NodeId, parseNodeId } from "@starling/crypto-identity";
import { CommandError, EXIT, peerText } from "@starling/daemon";

// Who may connect, as an operator writes it down: a file to allow and a file to deny, each of node ids and address blocks. Blocks are
// checked before anything else is done with a datagram, ids as soon as a handshake has proved one.

const FILE_MAX_BYTES = 4 * 1024 * 1024;
/** BOUNDED: verdicts on addresses that are remembered; then it starts anew. */
const REMEMBERED_MAX = 4_096;

export type AccessLists = {
  admitsId(id: NodeId): boolean;
  admitsIp(ip: string): boolean;
  /** How many entries there are. */
  readonly counts: { readonly allow: number; readonly deny: number };
};

/** Blocks by family: the system's list takes every IPv4 address for an IPv6 one as well. */
type Blocks = { readonly ipv4: BlockList; readonly ipv6: BlockList };
type List = { readonly ids: ReadonlySet<NodeId>; readonly blocks: Blocks; readonly blockCount: number };

/** Reads both files. Throws `E_LIST` (exit code 2) that names the line which is neither an id nor a block. */
export function readAccessLists(paths: {
  readonly allow: string | undefined;
  readonly deny: string | undefined;
}): AccessLists {
  const allow = readList(paths.allow);
  const deny = readList(paths.deny);
  const remembered = new Map<string, boolean>();
  const judgeIp = (ip: string): boolean => {
    const family = isIP(ip) === 6 ? "ipv6" : "ipv4";
    if (deny.blocks[family].check(ip, family)) return false;
    return allow.blockCount === 0 || allow.blocks[family].check(ip, family);
  };
  return {
    admitsId: (id) => !deny.ids.has(id) && (allow.ids.size === 0 || allow.ids.has(id)),
    admitsIp(ip) {
      if (allow.blockCount + deny.blockCount === 0) return true;
      let verdict = remembered.get(ip);
      if (verdict === undefined) {
        if (remembered.size >= REMEMBERED_MAX) remembered.clear();
        verdict = judgeIp(ip);
        remembered.set(ip, verdict);
      }
      return verdict;
    },
    counts: { allow: allow.ids.size + allow.blockCount, deny: deny.ids.size + deny.blockCount },
  };
}

function readList(path: string | undefined): List {
  const ids = new Set<NodeId>();
  const blocks: Blocks = { ipv4: new BlockList(), ipv6: new BlockList() };
  let blockCount = 0;
  for (const [index, line] of (path === undefined ? [] : readText(path).split("\n")).entries()) {
    const entry = line.replace(/#.*/, "").trim();
    if (entry === "") continue;
    if (addBlock(blocks, entry)) {
      blockCount += 1;
      continue;
    }
    try {
      ids.add(parseNodeId(entry));
    } catch {
      const message = `${path}:${index + 1}: ${peerText(entry)} is neither a node id (64 hexadecimal digits) nor an address or block such as 192.0.2.0/24`;
      throw new CommandError("E_LIST", message, EXIT.usage);
    }
  }
  return { ids, blocks, blockCount };
}

function addBlock(blocks: Blocks, entry: string): boolean {
  const [ip = "", prefix, ...rest] = entry.split("/");
  if (isIP(ip) === 0 || rest.length > 0) return false;
  const family = isIP(ip) === 6 ? "ipv6" : "ipv4";
  const bits = family === "ipv6" ? 128 : 32;
  const length = prefix === undefined ? bits : Number(prefix);
  if ((prefix !== undefined && !/^\d{1,3}$/.test(prefix)) || length > bits) return false;
  blocks[family].addSubnet(ip, length, family);
  return true;
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CommandError("E_LIST", `the list ${path} cannot be read: ${String(error)}`, EXIT.usage, { cause: error });
  }
  if (bytes.length > FILE_MAX_BYTES)
    throw new CommandError("E_LIST", `the list ${path} is larger than 4 MiB`, EXIT.usage);
  return bytes.toString("utf8");
}
