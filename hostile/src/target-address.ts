import { BlockList, isIP } from "node:net";
import { isNodeId, type NodeId } from "@starling/crypto-identity";
import { type Address, parseAddress } from "@starling/wire-protocol/address";

// Loopback, and the ranges for documentation (RFC 5737, RFC 3849), which laboratories use because they are nobody's. Anything else
// may be somebody's, so the kit sends nothing there.
const ALLOWED = new BlockList();
ALLOWED.addSubnet("127.0.0.0", 8, "ipv4");
ALLOWED.addSubnet("192.0.2.0", 24, "ipv4");
ALLOWED.addSubnet("198.51.100.0", 24, "ipv4");
ALLOWED.addSubnet("203.0.113.0", 24, "ipv4");
ALLOWED.addAddress("::1", "ipv6");
ALLOWED.addSubnet("2001:db8::", 32, "ipv6");

/** Reads `--target` and `--id`; a text is why it is refused. */
export function readTarget(
  target: string,
  id: string | undefined,
): { readonly id: NodeId; readonly address: Address } | string {
  let address: Address;
  try {
    address = parseAddress(target);
  } catch {
    return `'${target}' is no IP:PORT; names are not looked up`;
  }
  if (!ALLOWED.check(address.ip, isIP(address.ip) === 6 ? "ipv6" : "ipv4")) {
    return `${target} is neither loopback nor a laboratory address (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32); nothing was sent`;
  }
  if (!isNodeId(id)) return "--target needs --id, the 64 digits that the target calls itself";
  return { id, address };
}
