import { Fold } from "./fold.ts";

// Takes the place of signature.ts of crypto-identity in a process that runs with stand-ins (see replace-modules.ts): 64 bytes that
// anybody could make, and that do not verify for another id, domain or message.

const SIZE_BYTES = 64;
const encoder = new TextEncoder();

export const SIGNATURE_BYTES: number = SIZE_BYTES;

type Signed = { readonly domain: string; readonly message: Uint8Array };

function fold(id: string, { domain, message }: Signed): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES);
  new Fold().add(encoder.encode(id)).add(encoder.encode(domain)).add(message).write(bytes, 0, SIZE_BYTES);
  return bytes;
}

export function createSignatures(): {
  sign(input: Signed & { readonly identity: { readonly id: string } }): Uint8Array;
  verify(input: Signed & { readonly id: string; readonly signature: Uint8Array }): boolean;
} {
  return {
    sign: (input) => fold(input.identity.id, input),
    verify({ id, domain, message, signature }) {
      const expected = fold(id, { domain, message });
      return signature.length === SIZE_BYTES && expected.every((byte, i) => signature[i] === byte);
    },
  };
}
