import { requireText } from "./arguments.ts";
import { concatBytes } from "./concat-bytes.ts";

// The prologue that every Noise handshake of a network binds (PROTOCOL §2.2). Both ends mix it in and never send it: two
// nodes that differ in any field cannot open each other's messages.
//
//   0      1   length of the protocol name, 8
//   1      8   "starling"
//   9      1   version, 1
//   10     2   length n of the network name, big-endian
//   12     n   network name, UTF-8
//   12+n   2   length m of the purpose, big-endian
//   14+n   m   purpose, UTF-8

const NAME: Uint8Array = new TextEncoder().encode("starling");
const VERSION = 1;
const MAX_FIELD_BYTES = 255;

function field(argument: string, text: string): Uint8Array {
  const bytes = requireText(argument, text, MAX_FIELD_BYTES, "E_BAD_PROLOGUE");
  return concatBytes(Uint8Array.of(0, bytes.length), bytes);
}

/**
 * The prologue for a network and a purpose ("session", "channel", "envelope"), each 1 to 255 bytes of UTF-8. Throws
 * `E_BAD_PROLOGUE` where one is not.
 */
export function protocolPrologue(network: string, purpose: string): Uint8Array {
  return concatBytes(
    Uint8Array.of(NAME.length),
    NAME,
    Uint8Array.of(VERSION),
    field("network", network),
    field("purpose", purpose),
  );
}
