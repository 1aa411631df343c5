// An Address: where a UDP socket can be reached. Always an ip literal, never a name: nothing here asks a resolver.
//
//   bytes: 0 family u8 (4 or 6) | 1 ip (4 or 16) | port u16 (not 0); 7 or 19 in all
//
// One text a value: IPv6 in the form of RFC 5952, IPv4-mapped IPv6 written as IPv4.
import ipaddr from "ipaddr.js";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./errors.ts";

const [DOT, ZERO] = [0x2e, 0x30];

/**
 * An ip and a UDP port: `ip` a canonical literal (IPv4 dotted, or IPv6 as of RFC 5952; never a name), `port` 1 to 65,535. Port 0
 * stands for any port where a socket is to be bound, and is never on the wire.
 */
export type Address = { readonly ip: string; readonly port: number };

/** Reads `1.2.3.4:5` or `[::1]:5`. Throws `E_BAD_ADDRESS`; for configuration and command lines. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text);
  const ip = canonicalIp(match?.[1] ?? match?.[2] ?? "");
  const port = Number(match?.[3]);
  if (ip === undefined || !isPort(port)) {
    throw new WireError(
      "E_BAD_ADDRESS",
      `'${text.slice(0, 64)}' is no address: write 192.0.2.1:4000 or [2001:db8::1]:4000`,
    );
  }
  return { ip, port };
}

/** The text that parseAddress reads; also the key by which tables hold an address. */
export function formatAddress(address: Address): string {
  return address.ip.includes(":") ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

/** The one text of an ip literal, or undefined where it is none. A socket's text for a peer passes through here once. */
export function canonicalIp(text: string): string | undefined {
  if (ipv4Value(text) !== undefined) return text;
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text)) return undefined;
  const ip = ipaddr.IPv6.parse(text);
  if (ip.zoneId) return undefined;
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address().toString() : ip.toRFC5952String();
}

/** Size of an address on the wire: 7 bytes for IPv4, 19 for IPv6 (docs/PROTOCOL.md §1). */
export function addressSizeBytes(address: Address): number {
  return address.ip.includes(":") ? 19 : 7;
}

/** Appends an address. Throws `E_BAD_ADDRESS` for an ip that is not a canonical literal, and for a port that is none or 0. */
export function writeAddress(writer: ByteWriter, address: Address): void {
  if (!isPort(address.port)) throw new WireError("E_BAD_ADDRESS", `${address.port} is no port from 1 to 65535`);
  const ipv4 = ipv4Value(address.ip);
  if (ipv4 !== undefined) {
    writer.u8(4).u32(ipv4).u16(address.port);
    return;
  }
  const ip = canonicalIp(address.ip);
  if (ip !== address.ip)
    throw new WireError("E_BAD_ADDRESS", `'${address.ip.slice(0, 64)}' is not a canonical ip literal`);
  writer
    .u8(6)
    .raw(Uint8Array.from(ipaddr.parse(ip).toByteArray()))
    .u16(address.port);
}

/** Reads an untrusted address; undefined for an unknown family, port 0 or an IPv4 address dressed up as IPv6. */
export function readAddress(reader: ByteReader): Address | undefined {
  const family = reader.u8();
  if (family !== 4 && family !== 6) return undefined;
  const bytes = reader.raw(family === 4 ? 4 : 16);
  const port = reader.u16();
  if (reader.failed || !isPort(port)) return undefined;
  // Plain text for IPv4: every Pong brings some, and the library takes ten times as long.
  if (family === 4) return { ip: bytes.join("."), port };
  const ip = new ipaddr.IPv6([...bytes]);
  return ip.isIPv4MappedAddress() ? undefined : { ip: ip.toRFC5952String(), port };
}

/** Four plain decimals as one number; every Pong writes some, and the library's pattern takes ten times as long. */
function ipv4Value(text: string): number | undefined {
  let [value, part, digits, dots] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0) return undefined;
      value = value * 256 + part;
      [part, digits, dots] = [0, 0, dots + 1];
      continue;
    }
    if (code < ZERO || code > ZERO + 9 || (digits > 0 && part === 0)) return undefined;
    part = part * 10 + code - ZERO;
    digits += 1;
    if (part > 255) return undefined;
  }
  return dots === 3 && digits > 0 ? value * 256 + part : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
