// Hubs on loopback whose events a test can wait for, and a peer that does not keep to the rules.
import type { Candidate, Description } from "@starling/wire-protocol";
import { decodeDescription, encodeDescription } from "@starling/wire-protocol";
import { DtlsLink } from "../src/dtls-link.ts";
import { IceAgent } from "../src/ice-agent.ts";
import { type CloseReason, createRtcHub, type DialOptions, type RtcHub, type RtcHubOptions } from "../src/index.ts";
import type { SctpAssociation } from "../src/werift.ts";
import { loadParts } from "../src/werift-link.ts";

export const LABEL = "00112233445566778899aabbccddeeff00112233";
export const HOST = "127.0.0.1";

export type RtcEvent =
  | { readonly type: "described"; readonly channel: string; readonly description: Description }
  | { readonly type: "candidate"; readonly channel: string; readonly candidate: Candidate }
  | { readonly type: "opened"; readonly channel: string }
  | { readonly type: "message"; readonly channel: string; readonly bytes: Uint8Array }
  | { readonly type: "closed"; readonly channel: string; readonly reason: CloseReason };

export class TestHub {
  readonly hub: RtcHub;
  readonly events: RtcEvent[] = [];
  onEvent: (event: RtcEvent) => void = () => {};

  constructor(options: Partial<RtcHubOptions> = {}) {
    const record = (event: RtcEvent) => {
      this.events.push(event);
      this.onEvent(event);
    };
    this.hub = createRtcHub({
      bindAddresses: [HOST],
      listener: {
        described: (channel, description) => record({ type: "described", channel, description }),
        candidate: (channel, candidate) => record({ type: "candidate", channel, candidate }),
        opened: (channel) => record({ type: "opened", channel }),
        message: (channel, bytes) => record({ type: "message", channel, bytes }),
        closed: (channel, reason) => record({ type: "closed", channel, reason }),
      },
      ...options,
    });
  }

  /** The first event of the type, come or to come, within the deadline. */
  seen<T extends RtcEvent["type"]>(type: T, channel = "c", deadlineMs = 5000): Promise<Extract<RtcEvent, { type: T }>> {
    return eventually(
      () =>
        this.events.find(
          (event): event is Extract<RtcEvent, { type: T }> => event.type === type && event.channel === channel,
        ),
      `${type} of ${channel}`,
      deadlineMs,
    );
  }

  count(type: RtcEvent["type"]): number {
    return this.events.filter((event) => event.type === type).length;
  }

  messages(): Uint8Array[] {
    return this.events.flatMap((event) => (event.type === "message" ? [event.bytes] : []));
  }
}

/** Resolves with the first value that is not undefined; looks again each turn of the event loop. */
export async function eventually<T>(probe: () => T | undefined, what: string, deadlineMs = 15_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What the other end reads of a description. */
export function overTheWire(description: Description): Description {
  const result = decodeDescription(encodeDescription(description));
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

export async function open(a: TestHub, b: TestHub, channel = "c", dial: DialOptions = {}): Promise<void> {
  a.hub.offer(channel, LABEL, dial);
  const offer = await a.seen("described", channel);
  b.hub.accept(channel, LABEL, overTheWire(offer.description));
  const answer = await b.seen("described", channel);
  a.hub.answer(channel, overTheWire(answer.description));
  await Promise.all([a.seen("opened", channel), b.seen("opened", channel)]);
}

/** Offers a channel to a hub by the book up to DTLS, and then sends whatever the test likes. */
export class Rogue {
  readonly abort: AbortController = new AbortController();
  readonly ice: IceAgent;
  readonly dtls: DtlsLink;
  readonly sctp: SctpAssociation;

  static async meet(victim: TestHub, channel = "c"): Promise<Rogue> {
    const { werift, certificate } = await loadParts();
    const abort = new AbortController();
    let rogue: Rogue | undefined;
    let isThrough = false;
    const early: Buffer[] = [];
    const ice = new IceAgent({
      werift,
      isControlling: true,
      signal: abort.signal,
      onDtls: (data) => void (isThrough ? rogue?.dtls.receive(data) : early.push(data)),
      onLateCandidate: () => {},
      onFailed: () => {},
      onDropped: () => {},
    });
    const candidates = await ice.gather([HOST], [], 0);
    const { ufrag, pwd } = ice;
    victim.hub.accept(channel, LABEL, {
      setup: "actpass",
      ufrag,
      pwd,
      fingerprint: certificate.fingerprint,
      candidates,
    });
    const { description } = await victim.seen("described", channel);
    ice.setRemote(description);
    for (const [rank, candidate] of description.candidates.entries()) ice.addCandidate(candidate, rank);
    const connecting = ice.connect();
    let sctp: SctpAssociation | undefined;
    const dtls = new DtlsLink({
      werift,
      certificate,
      isClient: false,
      fingerprint: description.fingerprint,
      signal: abort.signal,
      send: (data) => ice.send(data),
      onData: (packet) => void sctp?.handleData(packet).catch(() => {}),
      onAlert: () => {},
      onDropped: () => {},
    });
    const transport = new werift.RTCSctpTransport(5000, 65_536, { mtu: 1191 });
    transport.setDtlsTransport({
      id: "rogue",
      onStateChange: new werift.Event<[string]>(),
      iceTransport: { role: "controlling" },
      dataReceiver: () => {},
      sendData: (packet) => dtls.send(packet),
    });
    sctp = transport.sctp;
    sctp.isServer = false;
    rogue = new Rogue(abort, ice, dtls, sctp);
    await connecting;
    isThrough = true;
    for (const data of early) dtls.receive(data);
    await dtls.connected;
    const established = new Promise<void>((resolve) => transport.sctp.stateChanged.connected.subscribe(resolve));
    await sctp.start(5000);
    await established;
    return rogue;
  }

  constructor(abort: AbortController, ice: IceAgent, dtls: DtlsLink, sctp: SctpAssociation) {
    this.abort = abort;
    this.ice = ice;
    this.dtls = dtls;
    this.sctp = sctp;
  }

  greet(label: string = LABEL): void {
    void this.sctp.send(0, 53, record(label));
  }

  async leave(): Promise<void> {
    await this.sctp.stop();
    this.abort.abort();
    await this.ice.close();
  }
}

function record(text: string): Buffer {
  const bytes = Buffer.alloc(2 + text.length);
  bytes.writeUInt16BE(text.length, 0);
  bytes.write(text, 2, "latin1");
  return bytes;
}

/** Bytes that look random, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
