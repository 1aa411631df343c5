// Noise §7: a handshake is a table. A further pattern is a further row.

export type Token = "e" | "s" | "ee" | "es" | "se" | "ss";

export interface HandshakePattern {
  readonly name: string;
  /** Whose static key the other side knows beforehand (the pre-messages). */
  readonly known: { readonly initiator: boolean; readonly responder: boolean };
  /** The initiator writes the first message; then they take turns. A one-way pattern has a single message. */
  readonly messages: readonly (readonly Token[])[];
}

/** One message to a known key, its sender hidden and authenticated (Noise §7.4). */
export const PATTERN_X: HandshakePattern = {
  name: "X",
  known: { initiator: false, responder: true },
  messages: [["e", "es", "s", "ss"]],
};

/** One round trip to a known key, both sides authenticated (Noise §7.5). */
export const PATTERN_IK: HandshakePattern = {
  name: "IK",
  known: { initiator: false, responder: true },
  messages: [
    ["e", "es", "s", "ss"],
    ["e", "ee", "se"],
  ],
};

/** One message to a known key from nobody in particular (Noise §7.4). */
const PATTERN_N: HandshakePattern = {
  name: "N",
  known: { initiator: false, responder: true },
  messages: [["e", "es"]],
};

/** Neither key is known beforehand; both are shown under encryption (Noise §7.5). */
const PATTERN_XX: HandshakePattern = {
  name: "XX",
  known: { initiator: false, responder: false },
  messages: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
};

/** Both keys are known beforehand and neither is sent (Noise §7.5). */
const PATTERN_KK: HandshakePattern = {
  name: "KK",
  known: { initiator: true, responder: true },
  messages: [
    ["e", "es", "ss"],
    ["e", "ee", "se"],
  ],
};

/** Handshake patterns of Noise §7.4 and §7.5: N and X one way, XX, IK and KK both ways. */
export type PatternName = "N" | "X" | "XX" | "IK" | "KK";

export const PATTERNS: Readonly<Record<PatternName, HandshakePattern>> = {
  N: PATTERN_N,
  X: PATTERN_X,
  XX: PATTERN_XX,
  IK: PATTERN_IK,
  KK: PATTERN_KK,
};
