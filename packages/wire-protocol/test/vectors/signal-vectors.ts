// Signals that set up a channel: bob, whose id is the greater here or not, is offered one by whoever has the greater id.
import type { Identity } from "@starling/crypto-identity";
import { initiateHandshake, protocolPrologue, respondHandshake } from "@starling/crypto-identity";
import {
  type Candidate,
  channelLabel,
  type Description,
  encodeCandidate,
  encodeDescription,
  encodeSignal,
  encodeSignalPayload,
  OFFER_TAG_BYTES,
} from "../../src/index.ts";
import { ALICE, BOB, count, fixedRandom, type Json, NETWORK, toJson } from "./actors.ts";

const [INITIATOR, RESPONDER]: readonly [Identity, Identity] = ALICE.id > BOB.id ? [ALICE, BOB] : [BOB, ALICE];
const CANDIDATE_COUNTER = 2 ** 48;

const OFFERED: Description = {
  setup: "actpass",
  ufrag: "aB+/",
  pwd: "0123456789abcdefghijkl",
  fingerprint: count(32),
  candidates: [
    { type: "host", address: { ip: "192.0.2.1", port: 5000 } },
    { type: "srflx", address: { ip: "198.51.100.1", port: 5001 } },
    { type: "prflx", address: { ip: "2001:db8::1", port: 5002 } },
    { type: "relay", address: { ip: "203.0.113.1", port: 5003 } },
  ],
};
const ANSWERED: Description = { ...OFFERED, setup: "active", ufrag: "cdef", candidates: [] };
const LATE: Candidate = { type: "srflx", address: { ip: "203.0.113.9", port: 6000 } };

export function signalVectors(): Json {
  const prologue = protocolPrologue(NETWORK, "channel");
  const offerPayload = encodeSignalPayload({ sessionIndex: 0x0102_0304, description: OFFERED });
  const initiation = initiateHandshake({
    identity: INITIATOR,
    responder: RESPONDER.id,
    prologue,
    payload: offerPayload,
    random: fixedRandom(0x55),
  });
  const response = respondHandshake({ identity: RESPONDER, prologue, message: initiation.message });
  if (response === undefined) throw new Error("the Offer is not read");
  const answerPayload = encodeSignalPayload({ sessionIndex: 0xfffe_fdfc, description: ANSWERED });
  const answer = response.respond(answerPayload, fixedRandom(0x66));
  const offerTag = initiation.message.slice(0, OFFER_TAG_BYTES);
  const sealed = answer.keys.send.seal(CANDIDATE_COUNTER, offerTag, encodeCandidate(LATE));
  return toJson({
    network: NETWORK,
    initiator: INITIATOR.id,
    responder: RESPONDER.id,
    label: channelLabel(INITIATOR.id, RESPONDER.id),
    intent: { content: encodeSignal({ type: "intent" }) },
    ping: { content: encodeSignal({ type: "ping" }) },
    offer: {
      ephemeralSeed: fixedRandom(0x55)(32),
      sessionIndex: 0x0102_0304,
      description: OFFERED,
      descriptionBytes: encodeDescription(OFFERED),
      payloadBytes: offerPayload,
      content: encodeSignal({ type: "offer", message: initiation.message }),
    },
    answer: {
      ephemeralSeed: fixedRandom(0x66)(32),
      sessionIndex: 0xfffe_fdfc,
      description: ANSWERED,
      descriptionBytes: encodeDescription(ANSWERED),
      payloadBytes: answerPayload,
      content: encodeSignal({ type: "answer", offerTag, message: answer.message }),
    },
    candidate: {
      from: "responder",
      counter: CANDIDATE_COUNTER,
      candidate: LATE,
      candidateBytes: encodeCandidate(LATE),
      content: encodeSignal({ type: "candidate", offerTag, sealed }),
    },
  });
}
