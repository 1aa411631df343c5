// A description as the SDP that a browser's (or werift's, or node-datachannel's) RTCPeerConnection takes, and back (RFC 8839, 8841,
// 8866). What the SDP says beyond the description is the same for every channel: one data section called 0, SCTP port 5000, sha-256.
// Pure, and for browsers as well.
import {
  CANDIDATES_MAX,
  type Candidate,
  canonicalIp,
  type Description,
  descriptionSchema,
} from "@starling/wire-protocol";
import { FRAME_MAX_BYTES } from "./framing.ts";

const TYPE_PREFERENCE = { host: 126, prflx: 110, srflx: 100, relay: 0 } as const;
/** Longer than any description of one data channel. */
const SDP_MAX_CHARS = 16_384;

/** RFC 8445 §5.1.2.1 with one component; the rank, 0 for the most preferred, stands for the local preference. */
export function priorityOf(type: Candidate["type"], rank: number): number {
  return TYPE_PREFERENCE[type] * 2 ** 24 + (65_535 - rank) * 256 + 255;
}

/** A description as the SDP that a browser takes, for one data channel (RFC 8866, RFC 8841). */
export function toSdp(description: Description): string {
  const { setup, ufrag, pwd, fingerprint, candidates } = description;
  const digits = [...fingerprint].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${digits.join(":")}`,
    `a=setup:${setup}`,
    "a=sctp-port:5000",
    `a=max-message-size:${FRAME_MAX_BYTES}`,
    ...candidates.map((candidate, rank) => `a=${toCandidateLine(candidate, rank)}`),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

/** As `RTCIceCandidate.candidate` has it. */
export function toCandidateLine({ type, address: { ip, port } }: Candidate, rank: number): string {
  const related = type === "host" ? "" : ` raddr ${ip.includes(":") ? "::" : "0.0.0.0"} rport 0`;
  return `candidate:${rank + 1} 1 udp ${priorityOf(type, rank)} ${ip} ${port} typ ${type}${related}`;
}

/**
 * The description in an SDP, with up to ten of its candidates, the most preferred first; names (mDNS) and TCP are left out.
 * Undefined where a field of a description is missing or out of range.
 */
export function fromSdp(sdp: string): Description | undefined {
  if (sdp.length > SDP_MAX_CHARS) return undefined;
  const lines = sdp.split(/\r?\n/);
  const field = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);
  const [algorithm, digits = ""] = (field("fingerprint") ?? "").split(" ");
  if (algorithm?.toLowerCase() !== "sha-256" || !/^([0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(digits)) return undefined;
  const candidates = lines
    .map((line) => parseCandidate(line))
    .filter((parsed) => parsed !== undefined)
    .sort((a, b) => b.priority - a.priority)
    .slice(0, CANDIDATES_MAX);
  const parsed = descriptionSchema.safeParse({
    setup: field("setup"),
    ufrag: field("ice-ufrag"),
    pwd: field("ice-pwd"),
    fingerprint: Uint8Array.from(digits.split(":"), (text) => Number.parseInt(text, 16)),
    candidates: candidates.map(({ candidate }) => candidate),
  });
  return parsed.success ? parsed.data : undefined;
}

/** One candidate, out of an SDP line or `RTCIceCandidate.candidate`; undefined for a name, TCP, or nonsense. */
export function fromCandidateLine(line: string): Candidate | undefined {
  return parseCandidate(line)?.candidate;
}

function parseCandidate(line: string): { readonly candidate: Candidate; readonly priority: number } | undefined {
  const [, transport, priority, host = "", port, type] =
    /^(?:a=)?candidate:\S+ 1 (\S+) (\d{1,10}) (\S+) (\d{1,5}) typ (host|srflx|prflx|relay)(?: |$)/.exec(line) ?? [];
  const ip = canonicalIp(host);
  if (transport?.toLowerCase() !== "udp" || ip === undefined || type === undefined) return undefined;
  const address = { ip, port: Number(port) };
  if (address.port < 1 || address.port > 65_535) return undefined;
  return { candidate: { type: type as Candidate["type"], address }, priority: Number(priority) };
}
