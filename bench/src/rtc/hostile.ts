import { createSocket } from "node:dgram";
import { fromSdp, toSdp } from "@starling/rtc-transport/codec";
import type { Candidate } from "@starling/wire-protocol";
import type { Figure } from "../figure.ts";
import { HOST, HubEnd, LABEL, openHubs, pumpHubs } from "./hubs.ts";
import { isOpen, rawEnd, WERIFT } from "./raw.ts";
import { sctpPacket } from "./sctp-packet.ts";
import { type Sent, watchDatagrams } from "./spy.ts";

// What a stranger, the peer, and a liar in signalling do to a hub.

const FORGED = 100_000;
const MALFORMED = 10_000;
const CANDIDATES = 200;
const BATCH = 40;

export async function hostile(progress: () => void): Promise<Figure[]> {
  let unhandled = 0;
  const onUnhandled = () => {
    unhandled += 1;
  };
  process.on("unhandledRejection", onUnhandled);
  const forged = await forgedDatagrams();
  progress();
  const malformed = await malformedPackets();
  progress();
  process.off("unhandledRejection", onUnhandled);
  const lies = await manyCandidates();
  progress();
  return [...forged, ...malformed, count("unhandled rejections meanwhile", unhandled), ...lies];
}

/** A stranger's half, and half from the peer's own address: mutants of their own datagrams, plaintext records, noise. */
async function forgedDatagrams(): Promise<Figure[]> {
  const seen: Sent[] = [];
  const stop = watchDatagrams((sent) => seen.length < 400 && seen.push({ ...sent, data: Buffer.from(sent.data) }));
  const [a, b] = [new HubEnd(), new HubEnd()];
  await openHubs(a, b);
  await pumpHubs(a, b, 300, Buffer.alloc(900, 1));
  stop();
  const stranger = createSocket("udp4");
  await new Promise<void>((resolve) => stranger.bind(0, HOST, resolve));
  let answers = 0;
  stranger.on("message", () => {
    answers += 1;
  });
  const random = seeded(9);
  const before = dropped(a) + dropped(b);
  for (let sent = 0; sent < FORGED; sent += 1) {
    const { socket, data, port, ip } = seen[Math.floor(random() * seen.length)] as Sent;
    (sent % 2 === 0 ? stranger : socket).send(mutant(data, random), port, ip);
    // Few enough for a socket's buffer: what is lost there is no test.
    if (sent % BATCH === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await pumpHubs(a, b, 10, Buffer.alloc(100, 1));
  await pumpHubs(b, a, 10, Buffer.alloc(100, 1));
  const refused = dropped(a) + dropped(b) - before;
  const closed = a.closedAs.size + b.closedAs.size;
  stranger.close();
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  return [
    {
      ...count(`channels closed by ${FORGED.toLocaleString("en-US")} forged datagrams`, closed),
      ours: `${refused} refused by the screens`,
      peer: "none",
    },
    count("answers to a stranger among them", answers),
  ];
}

/** A peer that is connected by the book sends SCTP that is not. */
async function malformedPackets(): Promise<Figure[]> {
  const b = new HubEnd();
  const { connection, channel } = await rawEnd(HOST);
  await connection.setLocalDescription(await connection.createOffer());
  const offer = fromSdp(connection.localDescription.sdp);
  if (offer === undefined) throw new Error("not read");
  const [described, opened] = [b.described("c"), b.opened("c")];
  b.hub.accept("c", LABEL, offer);
  await connection.setRemoteDescription({ type: "answer", sdp: toSdp(await described) });
  await isOpen(channel);
  channel.send(record(Buffer.from(LABEL)));
  await opened;
  const sctp = connection.sctpTransport?.sctp ?? {};
  const tag = Number(Reflect.get(sctp, "remoteVerificationTag"));
  const random = seeded(11);
  const before = dropped(b);
  for (let sent = 0; sent < MALFORMED; sent += 1) {
    const value = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
    // Not DATA, ABORT and the like, by which a peer may well end its channel.
    const type = [1, 2, 3, 4, 5, 9, 10, 11, 64, 192][sent % 10] ?? 0;
    const packet = sctpPacket(sent % 7 === 0 ? 5 : tag, type, value, sent % 5 === 0 ? 0 : value.length + 4);
    await connection.dtlsTransports[0]?.sendData(packet);
    if (sent % BATCH === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const received = new Promise<void>((resolve) => {
    b.onMessage = resolve;
  });
  channel.send(record(Buffer.from("alive")));
  await received;
  const refused = dropped(b) - before;
  const closed = b.closedAs.size;
  await Promise.all([b.hub.shutdown(), connection.close()]);
  return [
    {
      ...count(`channels closed by ${MALFORMED.toLocaleString("en-US")} malformed SCTP packets`, closed),
      ours: `${refused} refused`,
      peer: "none",
    },
  ];
}

/** Two hundred candidates of a third party: what it gets, from a hub and from werift as it is. */
async function manyCandidates(): Promise<Figure[]> {
  // Addresses for documentation, loopback and names.
  const candidates = Array.from({ length: CANDIDATES }, (_, i): Candidate => {
    const ip = i % 4 === 1 ? `127.0.0.${i}` : i % 4 === 3 ? `victim-${i}.local` : `203.0.113.${i}`;
    return { type: "host", address: { ip, port: 9000 + i } };
  });
  const { connection } = await rawEnd();
  await connection.setLocalDescription(await connection.createOffer());
  const { sdp } = connection.localDescription;
  const offer = fromSdp(sdp);
  await connection.close();
  if (offer === undefined) throw new Error("not read");

  const ours = await sentWhile(async () => {
    const b = new HubEnd({}, "anywhere");
    const closed = b.closed("c");
    b.hub.accept("c", LABEL, { ...offer, candidates: candidates.slice(0, 10) });
    for (const candidate of candidates.slice(10)) b.hub.addCandidate("c", candidate);
    await closed;
    await b.hub.shutdown();
  });
  const lines = candidates
    .map(({ address: { ip, port } }, i) => `a=candidate:${i} 1 udp ${2_000_000 - i} ${ip} ${port} typ host\r\n`)
    .join("");
  const theirs = await sentWhile(async () => {
    const victim = await rawEnd();
    await victim.connection.setRemoteDescription({
      type: "offer",
      sdp: sdp.replaceAll(/a=candidate.*\r\n/g, "") + lines,
    });
    await victim.connection.setLocalDescription(await victim.connection.createAnswer());
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await victim.connection.close();
  });
  const local = ours.filter(({ ip }) => ip.startsWith("127.") || ip === "::1").length;
  const named = ours.filter(({ port }) => port === 5353 || port === 53).length;
  const [own, raw] = [`${ours.length} datagrams`, `${theirs.length} by ${WERIFT}`];
  return [
    count(
      `candidates used of an offer with ${CANDIDATES}`,
      new Set(ours.map(({ ip, port }) => `${ip} ${port}`)).size,
      10,
    ),
    { ...count("STUN datagrams for it in 15 s", ours.length, 100), ours: own, peer: raw },
    count("of them to loopback", local),
    count("of them by mDNS or DNS", named),
  ];
}

async function sentWhile(run: () => Promise<void>): Promise<Sent[]> {
  const sent: Sent[] = [];
  const stop = watchDatagrams((one) => sent.push(one));
  await run();
  stop();
  return sent;
}

function count(name: string, value: number, atMost = 0): Figure {
  return { name, unit: "", samples: [value], target: { atMost } };
}

function dropped({ hub }: HubEnd): number {
  return [...hub.stats().dropped.values()].reduce((sum, one) => sum + one, 0);
}

const PLAINTEXT = ["0100", "0228"].flatMap((alert) =>
  ["15", "18", "1e"].flatMap((type) => [
    Buffer.from(`${type}fefd0000000000000001 0002${alert}`.replaceAll(" ", ""), "hex"),
    Buffer.concat([Buffer.from(`${type}fefd0001000000000009001a${alert}`, "hex"), Buffer.alloc(24, 7)]),
  ]),
);

function mutant(data: Buffer, random: () => number): Buffer {
  const kind = Math.floor(random() * 5);
  if (kind === 0) return PLAINTEXT[Math.floor(random() * PLAINTEXT.length)] ?? data;
  if (kind === 1)
    return Buffer.from(Array.from({ length: 1 + Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
  if (kind === 2) return data.subarray(0, Math.floor(random() * data.length) + 1);
  const changed = Buffer.from(data);
  // A flipped bit, anywhere or among the first that a screen looks at; the last kind is a replay.
  if (kind === 3) {
    const at = Math.floor(random() * (random() < 0.5 ? Math.min(30, changed.length) : changed.length));
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
  }
  return changed;
}

function record(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** The same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
