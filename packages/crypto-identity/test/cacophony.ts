import { expect } from "@jest/globals";
import { type HandshakePattern, PATTERNS, type PatternName } from "../src/handshake-pattern.ts";
import type { Identity } from "../src/identity.ts";
import { type NodeId, nodeIdFromBytes } from "../src/node-id.ts";
import { createNoise, type HandshakeState } from "../src/noise.ts";
import { counterNonce } from "../src/nonce.ts";
import { createPeerKeys } from "../src/peer-keys.ts";
import type { Primitives } from "../src/primitives.ts";
import type { Suite } from "../src/suite.ts";
import { hex, required, unhex } from "./support.ts";

// The patterns of the package and some that it does not offer: those show that the table means what Noise §7 means by it.
const ROWS: readonly HandshakePattern[] = [
  ...Object.values(PATTERNS),
  { name: "K", known: { initiator: true, responder: true }, messages: [["e", "es", "ss"]] },
  { name: "NN", known: { initiator: false, responder: false }, messages: [["e"], ["e", "ee"]] },
  {
    name: "NK",
    known: { initiator: false, responder: true },
    messages: [
      ["e", "es"],
      ["e", "ee"],
    ],
  },
  {
    name: "XK",
    known: { initiator: false, responder: true },
    messages: [
      ["e", "es"],
      ["e", "ee"],
      ["s", "se"],
    ],
  },
  {
    name: "IX",
    known: { initiator: false, responder: false },
    messages: [
      ["e", "s"],
      ["e", "ee", "se", "s", "es"],
    ],
  },
];

/** A vector in the format of the cacophony project: hex, private keys for the own side, public ones for the other. */
export interface Cacophony {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly resp_prologue: string;
  readonly init_static?: string;
  readonly init_ephemeral: string;
  readonly init_remote_static?: string;
  readonly resp_static?: string;
  readonly resp_ephemeral?: string;
  readonly resp_remote_static?: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

export function runCacophony(primitives: Primitives, vector: Cacophony): void {
  const pattern = required(ROWS.find(({ name }) => vector.protocol_name === `Noise_${name}_25519_AESGCM_SHA256`));
  const peerKeys = createPeerKeys(primitives);
  const noise = createNoise(primitives, peerKeys);
  const keyPair = (seed: string | undefined) =>
    seed === undefined ? undefined : primitives.keyPairFromSeed(unhex(seed));
  const peer = (key: string | undefined) =>
    key === undefined ? undefined : peerKeys.lookUp(required(nodeIdFromBytes(unhex(key))));
  const states: [HandshakeState, HandshakeState] = [
    noise.start({
      pattern,
      isInitiator: true,
      prologue: unhex(vector.init_prologue),
      localStatic: keyPair(vector.init_static),
      remoteStatic: peer(vector.init_remote_static),
    }),
    noise.start({
      pattern,
      isInitiator: false,
      prologue: unhex(vector.resp_prologue),
      localStatic: keyPair(vector.resp_static),
      remoteStatic: peer(vector.resp_remote_static),
    }),
  ];
  const ephemerals = [vector.init_ephemeral, vector.resp_ephemeral];
  const handshake = vector.messages.slice(0, pattern.messages.length);
  handshake.forEach(({ payload, ciphertext }, turn) => {
    const [writer, reader] = turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const written = noise.write(states[writer], unhex(payload), () => unhex(required(ephemerals[writer])));
    expect(hex(written.message)).toBe(ciphertext);
    const read = required(noise.read(states[reader], unhex(ciphertext)));
    expect(hex(read.payload)).toBe(payload);
    states[writer] = written.state;
    states[reader] = read.state;
  });
  const keys = states.map((state) => noise.split(state));
  for (const { handshakeHash } of keys) expect(hex(handshakeHash)).toBe(vector.handshake_hash);
  const counters = [0, 0];
  vector.messages.slice(handshake.length).forEach(({ payload, ciphertext }, index) => {
    const turn = pattern.messages.length === 1 ? 0 : handshake.length + index;
    const [writer, reader] = turn % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const counter = required(counters[writer]);
    counters[writer] = counter + 1;
    expect(hex(required(keys[writer]).send.seal(counterNonce(counter), unhex(""), unhex(payload)))).toBe(ciphertext);
    expect(
      hex(required(required(keys[reader]).receive.open(counterNonce(counter), unhex(""), unhex(ciphertext)))),
    ).toBe(payload);
  });
}

/** The same vector through the public functions, transport messages through CipherStates. */
export function runCacophonyInPublic(suite: Suite, vector: Cacophony): void {
  const pattern = required(/^Noise_(\w+)_25519_AESGCM_SHA256$/.exec(vector.protocol_name)?.[1]) as PatternName;
  const identity = (seed: string | undefined): { identity?: Identity } =>
    seed === undefined ? {} : { identity: suite.identityFromSeed(unhex(seed)) };
  const remote = (key: string | undefined): { remote?: NodeId } =>
    key === undefined ? {} : { remote: required(nodeIdFromBytes(unhex(key))) };
  const initiator = suite.createNoiseHandshake({
    pattern,
    role: "initiator",
    prologue: unhex(vector.init_prologue),
    random: () => unhex(vector.init_ephemeral),
    ...identity(vector.init_static),
    ...remote(vector.init_remote_static),
  });
  const responder = suite.createNoiseHandshake({
    pattern,
    role: "responder",
    prologue: unhex(vector.resp_prologue),
    random: () => unhex(required(vector.resp_ephemeral)),
    ...identity(vector.resp_static),
    ...remote(vector.resp_remote_static),
  });
  const messages = [...vector.messages];
  let turn = 0;
  for (; !initiator.isComplete; turn++) {
    const { payload, ciphertext } = required(messages.shift());
    const [writer, reader] = turn % 2 === 0 ? [initiator, responder] : [responder, initiator];
    expect(hex(writer.write(unhex(payload)))).toBe(ciphertext);
    expect(hex(required(reader.read(unhex(ciphertext))))).toBe(payload);
  }
  expect(messages.length).toBeGreaterThan(0);
  const [one, two] = [initiator.split(), responder.split()];
  for (const { handshakeHash } of [one, two]) expect(hex(handshakeHash)).toBe(vector.handshake_hash);
  for (const { payload, ciphertext } of messages) {
    const isInitiators = turn % 2 === 0 || PATTERNS[pattern].messages.length === 1;
    const [writer, reader] = isInitiators ? [one, two] : [two, one];
    expect(hex(writer.send.seal(unhex(""), unhex(payload)))).toBe(ciphertext);
    expect(hex(required(reader.receive.open(unhex(""), unhex(ciphertext))))).toBe(payload);
    turn += 1;
  }
}
