// What `npm run fuzz` feeds to the screens in front of werift, and to the reader of records.
import type { Candidate } from "@starling/wire-protocol";
import { allowedCandidates } from "../src/candidate-policy.ts";
import { screenDtls } from "../src/dtls-screen.ts";
import { FrameReader } from "../src/framing.ts";
import { firstTsn, screenSctp } from "../src/sctp-screen.ts";
import { fromSdp, toSdp } from "../src/sdp.ts";
import { viewStun } from "../src/stun-check.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/[ |]/g, ""), "hex"));
const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
const zeros = (sizeBytes: number) => "00".repeat(sizeBytes);

/** type | version | epoch | sequence number | length */
const record = (type: string, epoch: string, fragment: string) =>
  `${type} fefd ${epoch} 000000000001 ${hex(fragment).length.toString(16).padStart(4, "0")} ${fragment}`;
const clientHello = record("16", "0000", `01 000010 0000 000000 000010 ${zeros(16)}`);
const sctp = (chunks: string) => hex(`1388 1388 00000001 00000000 ${chunks}`);
const stun = (type: string, attributes: string) =>
  hex(`${type} ${hex(attributes).length.toString(16).padStart(4, "0")} 2112a442 ${zeros(12)} ${attributes}`);

export const targets = [
  {
    name: "DTLS screen",
    corpus: [
      hex(clientHello),
      hex(clientHello + record("14", "0000", "01")),
      hex(record("16", "0001", zeros(40)) + record("17", "0001", zeros(30))),
      hex(record("15", "0001", zeros(26))),
    ],
    run(bytes: Uint8Array): boolean {
      let passed = 0;
      for (const isConnected of [false, true]) {
        const screened = screenDtls(buffer(bytes), isConnected);
        const sizes = [screened.passed, ...screened.alerts].map((part) => part?.length ?? 0);
        const size = sizes.reduce((sum, part) => sum + part, 0);
        if (size > bytes.length) throw new Error("more passes than came");
        passed += size;
      }
      return passed > 0;
    },
  },
  {
    name: "SCTP screen",
    corpus: [
      sctp(`0003 0014 00000001 0000 0000 00000035 ${zeros(4)}`),
      sctp(`0300 0018 00000001 00100000 0001 0001 0002 0003 00000002`),
      sctp(`0100 0014 00000001 00100000 ffff ffff 00000001`),
      sctp(`0200 0020 00000001 00100000 ffff ffff 00000001 0007 000c ${zeros(8)}`),
      sctp(`0400 000c 0001 0008 ${zeros(4)}`),
      sctp("0a00 0008 01020304"),
    ],
    run(bytes: Uint8Array): boolean {
      let passed = false;
      for (const isEstablished of [false, true]) {
        if (screenSctp(buffer(bytes), isEstablished) !== "pass") continue;
        firstTsn(buffer(bytes));
        passed = true;
      }
      return passed;
    },
  },
  {
    name: "STUN check",
    corpus: [
      stun("0001", ""),
      stun("0001", `0006 0009 ${zeros(12)} 0024 0004 00000001 0008 0014 ${zeros(20)} 8028 0004 00000000`),
      stun("0101", `0020 0008 0001 1234 01020304 0008 0014 ${zeros(20)}`),
    ],
    run(bytes: Uint8Array): boolean {
      const view = viewStun(buffer(bytes));
      if (view?.integrityOffset !== undefined && view.integrityOffset + 24 > bytes.length) {
        throw new Error("an integrity beyond the end");
      }
      return view !== undefined;
    },
  },
  {
    name: "records",
    corpus: [
      hex("0001 61"),
      hex("0003 616263 0001 64"),
      hex(`0400 ${zeros(1024)}`),
      hex(`ffff ${zeros(16_383)} 8001 00`),
    ],
    maxBytes: 20_000,
    run(bytes: Uint8Array): boolean {
      const messages = new FrameReader().read(bytes);
      if (typeof messages === "string") return false;
      if (messages.reduce((sum, { length }) => sum + length, 0) > bytes.length) throw new Error("more than came");
      return messages.length > 0;
    },
  },
  {
    name: "SDP",
    corpus: [[], [{ type: "host" as const, address: { ip: "192.0.2.1", port: 5000 } }]].map((candidates) =>
      new TextEncoder().encode(
        toSdp({
          setup: "active",
          ufrag: "abcd",
          pwd: "0123456789abcdefghijkl",
          fingerprint: new Uint8Array(32),
          candidates,
        }),
      ),
    ),
    maxBytes: 1024,
    run(bytes: Uint8Array): boolean {
      return fromSdp(String.fromCharCode(...bytes)) !== undefined;
    },
  },
  {
    name: "candidate policy",
    corpus: ["192.0.2.1 5000", "2001:db8::1 65535", "::ffff:192.0.2.1 5000"].map((text) =>
      new TextEncoder().encode(text),
    ),
    maxBytes: 64,
    run(bytes: Uint8Array): boolean {
      const [ip = "", port = ""] = String.fromCharCode(...bytes).split(" ");
      const candidate: Candidate = { type: "host", address: { ip, port: Number(port) } };
      allowedCandidates([candidate, candidate], { isLoopback: false });
      return true;
    },
  },
];
