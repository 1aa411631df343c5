// The vectors by the names of their files in packages/wire-protocol/vectors.
import type { Json } from "./actors.ts";
import { datagramVectors } from "./datagram-vectors.ts";
import { envelopeVectors } from "./envelope-vectors.ts";
import { frameVectors } from "./frame-vectors.ts";
import { identityVectors } from "./identity-vectors.ts";
import { malformedVectors } from "./malformed-vectors.ts";
import { signalVectors } from "./signal-vectors.ts";
import { signedVectors } from "./signed-vectors.ts";

const FILES: Readonly<Record<string, () => Json>> = {
  "identity.json": identityVectors,
  "datagrams.json": datagramVectors,
  "frames.json": frameVectors,
  "envelopes.json": envelopeVectors,
  "signed.json": signedVectors,
  "signals.json": signalVectors,
  "malformed.json": malformedVectors,
};

export const VECTOR_FILES: readonly string[] = Object.keys(FILES);

/** What the file holds, made anew by the code as it is. */
export function vectorText(file: string): string {
  const vectors = FILES[file];
  if (vectors === undefined) throw new Error(`no vectors in ${file}`);
  // Lists of texts on one line, as the formatter has them.
  const text = JSON.stringify(vectors(), null, 2).replace(
    /\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g,
    (_, texts: string) => {
      return `[${texts.replace(/,\s+/g, ", ")}]`;
    },
  );
  return `${text}\n`;
}
