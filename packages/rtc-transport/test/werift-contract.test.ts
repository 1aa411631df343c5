// What this package takes for granted of werift's inside. Each test names one part; when an upgrade changes it, it fails here and
// not in the field. The last group shows the faults that our screens are for: when one of those fails, its screen may go.
import { createSecretKey, KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { LocalCertificate } from "../src/certificate.ts";
import { provesClient, provesServer } from "../src/dtls-proof.ts";
import { endFlightsWith } from "../src/flight-retransmission.ts";
import type { DtlsClient, DtlsSocket, DtlsTransport, SctpAssociation, Werift } from "../src/werift.ts";
import { loadParts } from "../src/werift-link.ts";
import { eventually, HOST } from "./support.ts";

let werift: Werift;
let certificate: LocalCertificate;
const over = new AbortController();
afterAll(() => over.abort());
beforeAll(async () => {
  ({ werift, certificate } = await loadParts());
}, 20_000);

test("the version is pinned exactly", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(manifest.dependencies.werift).toBe("0.25.2");
});

describe("ICE", () => {
  const connection = () => new werift.Connection(true, { useIpv4: false, useIpv6: false });

  test("takes user name, password and history as they are set", () => {
    const made = connection();
    expect(made.userHistory).toEqual({ [made.localUsername]: made.localPassword });
    expect(made.generation).toBe(0);
    expect([made.localCandidatesStart, made.localCandidatesEnd, made.state]).toEqual([false, false, "new"]);
    expect([made.checkList, made.earlyChecks, made.protocols]).toEqual([[], [], []]);
  });

  test("has Google for its STUN server unless it is cleared", () => {
    const made = connection();
    expect(made.stunServer).toEqual(["stun.l.google.com", 19302]);
    made.stunServer = undefined;
    expect([made.stunServer, made.turnServer]).toEqual([undefined, undefined]);
  });

  test("pairs a protocol that we made with the peer's candidates, keeps its transactions by id in hex, and fails them", async () => {
    const made = connection();
    const sent: string[] = [];
    const protocol = new werift.StunProtocol();
    protocol.transport = {
      type: "udp",
      addressFamily: 4,
      closed: false,
      send: async (data, to) => void sent.push(`${to} ${Buffer.from(data).toString("hex", 8, 20)}`),
      close: async () => {},
    };
    protocol.localIp = HOST;
    protocol.localCandidate = new werift.Candidate("f", 1, "udp", 1, HOST, 5000, "host");
    made.localCandidatesStart = true;
    made.localCandidatesEnd = true;
    made.ensureProtocol(protocol);
    made.protocols.push(protocol);
    made.setRemoteParams({ iceLite: false, usernameFragment: "abcd", password: "x".repeat(24) });
    await made.addRemoteCandidate(new werift.Candidate("r", 1, "udp", 1, HOST, 6000, "host"));
    expect(made.checkList.length).toBe(1);
    expect(made.checkList[0]?.requestTransactionIds).toBeInstanceOf(Set);
    const ended = made.connect().then(
      () => "connected",
      () => "failed",
    );
    await eventually(() => (sent.length > 0 ? true : undefined), "a check");
    const [id] = Object.keys(protocol.transactions);
    expect(sent[0]).toBe(`${HOST},6000 ${id}`);
    const transaction = protocol.transactions[id ?? ""];
    expect(Buffer.from(transaction?.integrityKey ?? []).toString()).toBe("x".repeat(24));
    transaction?.failWithTimeout();
    made.checkList = [];
    await made.close();
    expect(await ended).toBe("failed");
    expect([Object.keys(protocol.transactions), made.state]).toEqual([[], "closed"]);
  });

  test("checks a failed pair again that is set to waiting, with the options that are asked for", async () => {
    const made = connection();
    const sent: string[] = [];
    const protocol = protocolOf(made, (data) => sent.push(Buffer.from(data).toString("hex", 8, 20)));
    protocol.localIp = HOST;
    protocol.localCandidate = new werift.Candidate("f", 1, "udp", 1, HOST, 5000, "host");
    made.localCandidatesStart = true;
    made.localCandidatesEnd = true;
    made.protocols.push(protocol);
    const options = { retransmissions: 0, responseTimeout: 1 };
    made.checkRequestOptions = () => options;
    made.setRemoteParams({ iceLite: false, usernameFragment: "abcd", password: "x".repeat(24) });
    await made.addRemoteCandidate(new werift.Candidate("r", 1, "udp", 1, HOST, 6000, "host"));
    const ended = made.connect().catch(() => "failed");
    const { FAILED, WAITING } = werift.CandidatePairState;
    await eventually(() => (made.checkList[0]?.state === FAILED ? true : undefined), "the failure");
    expect(sent.length).toBe(1);
    made.checkList[0]?.updateState(WAITING);
    await eventually(() => (sent.length > 1 ? true : undefined), "another check");
    expect(new Set(sent).size).toBe(2);
    await eventually(() => (made.checkList[0]?.state === FAILED ? true : undefined), "the second failure");
    // Why each check is handed options of its own.
    expect(Object.keys(options)).toContain("integrityKey");
    made.checkList = [];
    await made.close();
    expect(await ended).toBe("failed");
  });

  test("keeps a check that comes before the peer's description", () => {
    const made = connection();
    const protocol = protocolOf(made);
    protocol.datagramReceived(bareBinding(`${made.localUsername}:abcd`), [HOST, 7000]);
    expect(made.earlyChecks.length).toBe(1);
  });

  test("answers a request without MESSAGE-INTEGRITY (why STUN is checked before)", () => {
    const made = connection();
    const sent: Buffer[] = [];
    const protocol = protocolOf(made, (data) => sent.push(Buffer.from(data)));
    protocol.datagramReceived(bareBinding(`${made.localUsername}:abcd`), [HOST, 7000]);
    expect(sent[0]?.readUInt16BE(0)).toBe(0x0101);
  });

  function protocolOf(made: ReturnType<typeof connection>, onSend: (data: Uint8Array) => void = () => {}) {
    const protocol = new werift.StunProtocol();
    protocol.transport = {
      type: "udp",
      addressFamily: 4,
      closed: false,
      send: async (data) => onSend(data),
      close: async () => {},
    };
    made.ensureProtocol(protocol);
    return protocol;
  }

  function bareBinding(username: string): Buffer {
    const value = Buffer.alloc(Math.ceil(username.length / 4) * 4);
    value.write(username, "latin1");
    const header = Buffer.from("000100002112a442000102030405060708090a0b00060000", "hex");
    header.writeUInt16BE(4 + value.length, 2);
    header.writeUInt16BE(username.length, 22);
    return Buffer.concat([header, value]);
  }
});

type Wire = {
  readonly client: DtlsClient;
  readonly server: DtlsSocket;
  readonly log: Buffer[];
  readonly keyExchange: () => Buffer | undefined;
};

/** A DTLS client and server on one wire. */
function dtlsPair(): Wire {
  const log: Buffer[] = [];
  const wire = (): DtlsTransport => ({
    type: "ice",
    closed: false,
    address: {},
    onData: () => {},
    close: async () => {},
    send: async () => {},
  });
  const [first, second] = [wire(), wire()];
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    from.send = async (data) => {
      const datagram = Buffer.from(data);
      log.push(datagram);
      setImmediate(() => to.onData(datagram));
    };
  }
  const settings = {
    cert: certificate.pem.certPem,
    key: certificate.pem.privateKey,
    signatureHash: certificate.pem.signatureHash,
    srtpProfiles: [],
    extendedMasterSecret: true,
  } as const;
  const client = new werift.DtlsClient({ ...settings, transport: first });
  const server = new werift.DtlsServer({ ...settings, transport: second, certificateRequest: true });
  for (const end of [client, server]) endFlightsWith(over.signal, end);
  let keyExchange: Buffer | undefined;
  const handle = client.onHandleHandshakes;
  client.onHandleHandshakes = (messages) => {
    keyExchange ??= messages.find(({ msg_type }) => msg_type === 12)?.fragment;
    return handle(messages);
  };
  return { client, server, log, keyExchange: () => keyExchange };
}

async function handshake({ client, server }: Wire): Promise<void> {
  let connected = 0;
  for (const end of [client, server])
    end.onConnect.subscribe(() => {
      connected += 1;
    });
  client.connect().catch(() => {});
  await eventually(() => (connected === 2 ? true : undefined), "the handshake");
}

describe("DTLS", () => {
  test("hands handshake messages to a property, and waits by another, that can be replaced", () => {
    const { client, server } = dtlsPair();
    for (const end of [client, server]) {
      expect(Object.getOwnPropertyNames(end)).toEqual(
        expect.arrayContaining(["onHandleHandshakes", "waitForReady", "connected", "dtls", "cipher"]),
      );
    }
  });

  test("shows certificate, keys, randoms and transcript of a handshake, and takes KeyObjects for its keys", async () => {
    const wire = dtlsPair();
    const messages: number[] = [];
    const handle = wire.client.onHandleHandshakes;
    wire.client.onHandleHandshakes = (assembled) => {
      messages.push(...assembled.map(({ msg_type }) => msg_type));
      return handle(assembled);
    };
    await handshake(wire);
    expect(messages).toEqual(expect.arrayContaining([2, 11, 12, 13, 14, 20]));
    for (const { remoteCertificate, cipher, dtls } of [wire.client, wire.server]) {
      expect(remoteCertificate?.length).toBeGreaterThan(200);
      expect([cipher.localRandom?.serialize().length, cipher.remoteRandom?.serialize().length]).toEqual([32, 32]);
      expect(cipher.remoteKeyPair?.publicKey?.length).toBeGreaterThanOrEqual(32);
      const types = dtls.sortedHandshakeCache.map(({ msg_type }) => msg_type);
      expect(types.slice(0, 9)).toEqual([1, 2, 11, 12, 13, 14, 11, 16, 15]);
      expect(dtls.sortedHandshakeCache[0]?.serialize()[0]).toBe(1);
      const keys = cipher.cipher;
      if (!Buffer.isBuffer(keys?.clientWriteKey) || !Buffer.isBuffer(keys.serverWriteKey))
        throw new Error("no Buffers");
      keys.clientWriteKey = createSecretKey(keys.clientWriteKey);
      keys.serverWriteKey = createSecretKey(keys.serverWriteKey);
    }
    const got: string[] = [];
    wire.server.onData.subscribe((data) => got.push(data.toString()));
    await wire.client.send(Buffer.from("hello"));
    await eventually(() => got[0], "the data");
    expect(got).toEqual(["hello"]);
    expect(wire.client.cipher.cipher?.clientWriteKey).toBeInstanceOf(KeyObject);
  });

  test("opens a record by decryptPacket, and throws for a forged one", async () => {
    const wire = dtlsPair();
    await handshake(wire);
    wire.log.length = 0;
    await wire.client.send(Buffer.from("hello"));
    const record = wire.log[0] ?? Buffer.alloc(0);
    const view = () => ({
      fragment: record.subarray(13),
      recordLayerHeader: {
        contentType: record.readUInt8(0),
        protocolVersion: { major: record.readUInt8(1), minor: record.readUInt8(2) },
        epoch: record.readUInt16BE(3),
        sequenceNumber: record.readUIntBE(5, 6),
        contentLen: record.readUInt16BE(11),
      },
    });
    expect(wire.server.cipher.decryptPacket(view()).toString()).toBe("hello");
    record.writeUInt8(record.readUInt8(record.length - 1) ^ 1, record.length - 1);
    expect(() => wire.server.cipher.decryptPacket(view())).toThrow();
  });

  test("believes a plaintext alert and unknown types (why records are screened)", async () => {
    for (const forged of ["15fefd000000000000000100020100", "18fefd000000000000000100020100"]) {
      const wire = dtlsPair();
      await handshake(wire);
      let closed = 0;
      wire.server.onClose.subscribe(() => {
        closed += 1;
      });
      Reflect.get(wire.server, "udpOnMessage")(Buffer.from(forged, "hex"));
      expect(closed).toBe(1);
    }
  });

  test("does not look at the signatures of either side, which have to be proved to us", async () => {
    const proofs = (wire: Wire) => [provesServer(wire.client, wire.keyExchange()), provesClient(wire.server)];
    const honest = dtlsPair();
    await handshake(honest);
    expect(proofs(honest)).toEqual([true, true]);
    // Ends that show the certificate, and do not have its key.
    const server = dtlsPair();
    Reflect.set(server.server.cipher, "generateKeySignature", () => Buffer.alloc(70, 1));
    await handshake(server);
    expect(proofs(server)).toEqual([false, true]);
    const client = dtlsPair();
    Reflect.set(client.client.cipher, "signatureData", () => Buffer.alloc(70, 1));
    await handshake(client);
    expect(proofs(client)).toEqual([true, false]);
    // An honest signature over another key than the one in use.
    Reflect.set(honest.client.cipher, "remoteKeyPair", { publicKey: Buffer.alloc(32, 9) });
    Reflect.set(honest.server.cipher, "remoteKeyPair", { publicKey: Buffer.alloc(32, 9) });
    expect(proofs(honest)).toEqual([false, false]);
    expect([provesServer(client.client, undefined), provesServer(client.client, Buffer.alloc(3))]).toEqual([
      false,
      false,
    ]);
  });
});

describe("SCTP", () => {
  function associations(): { client: SctpAssociation; server: SctpAssociation; received: unknown[][] } {
    const received: unknown[][] = [];
    const ends: SctpAssociation[] = [];
    const make = (role: "controlling" | "controlled", other: number): SctpAssociation => {
      const transport = new werift.RTCSctpTransport(5000, 65_536, { mtu: 1191 });
      transport.setDtlsTransport({
        id: role,
        onStateChange: new werift.Event<[string]>(),
        iceTransport: { role },
        dataReceiver: () => {},
        sendData: async (packet) => void setImmediate(() => void ends[other]?.handleData(packet).catch(() => {})),
      });
      const { sctp } = transport;
      sctp.onReceive.allUnsubscribe();
      sctp.onReconfigStreams.allUnsubscribe();
      sctp.onSackReceived = async () => {};
      sctp.onReceive.subscribe((...values) => received.push(values));
      sctp.isServer = role === "controlled";
      return sctp;
    };
    ends.push(make("controlling", 1), make("controlled", 0));
    const [client, server] = ends;
    if (client === undefined || server === undefined) throw new Error("no ends");
    return { client, server, received };
  }

  test("has the fields that are set and watched", () => {
    const { client } = associations();
    expect([client.associationState, client.rto, client.advertisedRwnd, client.srtt]).toEqual([
      1,
      3,
      1024 * 1024,
      undefined,
    ]);
    expect([client.lastSackedTsn, client.advancedPeerAckTsn, client.reconfigRequestSeq]).toEqual([
      (client.localTsn + 2 ** 32 - 1) % 2 ** 32,
      (client.localTsn + 2 ** 32 - 1) % 2 ** 32,
      client.localTsn,
    ]);
    expect([client.outboundQueue, client.inboundStreams, client.sackMisOrdered, client.lastReceivedTsn]).toEqual([
      [],
      {},
      new Set(),
      undefined,
    ]);
  });

  test("opens, delivers stream, payload type and bytes, counts its window, and settles its sends when it is flushed", async () => {
    const { client, server, received } = associations();
    let connected = 0;
    for (const end of [client, server])
      end.stateChanged.connected.subscribe(() => {
        connected += 1;
      });
    await server.start(5000);
    await client.start(5000);
    await eventually(() => (connected === 2 ? true : undefined), "the association");
    expect([client.associationState, server.associationState]).toEqual([4, 4]);
    await client.send(0, 53, Buffer.alloc(5000, 7));
    await eventually(() => received[0], "the message");
    expect(received).toEqual([[0, 53, Buffer.alloc(5000, 7)]]);
    expect(server.advertisedRwnd).toBe(1024 * 1024);
    expect(server.inboundStreams[0]?.reassembly).toEqual([]);
    await eventually(() => (client.sentQueue.length === 0 ? true : undefined), "the acknowledgement");
    const sacked = new Promise<number>((resolve) => {
      client.onSackReceived = async () => resolve(client.sentQueue.length);
    });
    await client.send(0, 53, Buffer.alloc(5, 7));
    expect(await sacked).toBe(0);
    await eventually(() => client.srtt, "a round trip");
    let closed = 0;
    client.stateChanged.closed.subscribe(() => {
      closed += 1;
    });
    const waiting = client.send(0, 53, Buffer.alloc(60_000));
    await client.stop();
    client.outboundQueue = [];
    client.flush.execute();
    await waiting;
    client.setState(1);
    expect([client.associationState, closed]).toEqual([1, 1]);
    await server.stop();
  });

  test("rejects what it cannot read, as a promise that somebody has to catch (why it is called by us)", async () => {
    const { client } = associations();
    await expect(client.handleData(Buffer.alloc(4))).rejects.toThrow();
    await client.stop();
  });
});
