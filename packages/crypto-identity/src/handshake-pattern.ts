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
