// One channel, from its description to its end. Forward only:
//
//   gathering → signalling (an offer waits for its answer) → connecting (ICE, DTLS, SCTP, label) → open
//        └──────────────┴──────────────────────┴───────────────────┴──→ closed
//
// Whatever happens, `closed` is reported once, and nothing after it.
import type { Address, Candidate, Description } from "@starling/wire-protocol";
import { CANDIDATES_MAX, descriptionSchema } from "@starling/wire-protocol";
import { Cancelled, orCancelled } from "./cancellation.ts";
import { allowedCandidates } from "./candidate-policy.ts";
import { type LocalCertificate, localCertificate } from "./certificate.ts";
import { DtlsLink } from "./dtls-link.ts";
import { patchFlights } from "./flight-retransmission.ts";
import { FrameSender } from "./frame-sender.ts";
import { readRecords } from "./framing.ts";
import { IceAgent } from "./ice-agent.ts";
import { SctpLink } from "./sctp-link.ts";
import { loadWerift, type Werift } from "./werift.ts";

export type ChannelState = "gathering" | "signalling" | "connecting" | "open" | "closed";
export type CloseReason = "local" | "remote" | "failed" | "timeout" | "misbehaved" | "busy";
export type DropReason = "stun" | "source" | "dtls" | "sctp" | "candidate";

const LATE_CANDIDATES_MAX = 2;
/** The first flight of a peer whose ICE was done a moment before ours. */
const EARLY_MAX = 8;

export type ChannelSettings = {
  readonly bindAddresses: readonly string[];
  readonly iceServers: readonly Address[];
  readonly gatherMs: number;
  readonly openMs: number;
};

export type ChannelEvents = {
  described(description: Description): void;
  candidate(candidate: Candidate): void;
  opened(): void;
  message(bytes: Uint8Array): void;
  drained(): void;
  closed(reason: CloseReason): void;
  dropped(reason: DropReason): void;
};

export async function warmUp(): Promise<{ werift: Werift; certificate: LocalCertificate }> {
  const werift = await loadWerift();
  await patchFlights(werift);
  return { werift, certificate: await localCertificate(werift) };
}

export class Channel {
  readonly #label: string;
  readonly #settings: ChannelSettings;
  readonly #events: ChannelEvents;
  readonly #isOfferer: boolean;
  readonly #abort: AbortController = new AbortController();
  readonly #deadline: NodeJS.Timeout;
  readonly #sender: FrameSender;
  #state: ChannelState = "gathering";
  #ice: IceAgent | undefined;
  #dtls: DtlsLink | undefined;
  #sctp: SctpLink | undefined;
  #answer: ((answer: Description) => void) | undefined;
  #hasGreeted = false;
  // BOUNDED: CANDIDATES_MAX, with those of the description.
  #remoteCandidates: Candidate[] = [];
  #isRemoteSet = false;
  #lateCandidates = 0;
  // BOUNDED: datagrams of DTLS that come before our own ICE is done, EARLY_MAX.
  #early: Buffer[] = [];
  #teardown: Promise<void> | undefined;
  /** Of frames. */
  receivedBytes = 0;

  /** With an offer of the peer this side answers it; without one it makes the offer. */
  constructor(label: string, settings: ChannelSettings, events: ChannelEvents, offer: Description | undefined) {
    this.#label = label;
    this.#settings = settings;
    this.#events = events;
    this.#isOfferer = offer === undefined;
    this.#sender = new FrameSender({
      transmit: (frame) => this.#sctp?.send(frame) ?? Promise.resolve(),
      onDrained: () => events.drained(),
    });
    this.#deadline = setTimeout(() => this.close("timeout"), settings.openMs);
    this.#negotiate(offer).catch((error: unknown) => {
      if (!(error instanceof Cancelled)) this.close("failed");
    });
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Of frames. */
  get sentBytes(): number {
    return this.#sender.sentBytes;
  }

  get rttMs(): number | undefined {
    return this.#sctp?.rttMs ?? this.#ice?.rttMs;
  }

  /** Resolves when all that the channel held is free again; only after `close`. */
  get gone(): Promise<void> {
    return this.#teardown ?? Promise.resolve();
  }

  /** The first answer counts; a repeated one is no news. */
  answer(answer: Description): void {
    this.#answer?.(answer);
  }

  addCandidate(candidate: Candidate): void {
    const { signal } = this.#abort;
    if (signal.aborted) return;
    const room = CANDIDATES_MAX - this.#remoteCandidates.length;
    const [allowed] = allowedCandidates([candidate], room);
    if (allowed === undefined) {
      this.#events.dropped("candidate");
      return;
    }
    this.#remoteCandidates.push(allowed);
    if (this.#isRemoteSet) this.#ice?.addCandidate(allowed, this.#remoteCandidates.length - 1);
  }

  send(message: Uint8Array): "sent" | "queued" | "full" | "not-open" {
    if (this.#state !== "open") return "not-open";
    return this.#sender.send(message);
  }

  /** Loses its sockets without a word to anybody; it stays what it is until it is closed, or ICE gives up. */
  sever(): void {
    this.#ice?.sever();
  }

  close(reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#deadline);
    this.#sender.close();
    this.#early = [];
    this.#teardown = this.#tearDown();
    // Not within the caller's own call: it may be in the middle of a step of its own.
    queueMicrotask(() => this.#events.closed(reason));
  }

  async #tearDown(): Promise<void> {
    // In this order: SCTP's last word still needs what is below it.
    await this.#sctp?.close();
    this.#abort.abort();
    await this.#ice?.close();
  }

  async #negotiate(offer: Description | undefined): Promise<void> {
    const { signal } = this.#abort;
    const { bindAddresses, iceServers, gatherMs } = this.#settings;
    const { werift, certificate } = await orCancelled(warmUp(), signal);
    if (this.#state === "closed") throw new Cancelled();
    const ice = this.#makeIce(werift);
    const candidates = await orCancelled(ice.gather(bindAddresses, iceServers, gatherMs), signal);
    if (candidates.length === 0) throw new Error("none of the addresses can be bound");
    const setup = offer === undefined ? "actpass" : offer.setup === "active" ? "passive" : "active";
    const { ufrag, pwd } = ice;
    const description: Description = {
      setup,
      ufrag,
      pwd,
      fingerprint: certificate.fingerprint,
      candidates: candidates.slice(0, CANDIDATES_MAX),
    };
    this.#state = "signalling";
    const answered = new Promise<Description>((resolve) => {
      this.#answer = resolve;
    });
    queueMicrotask(() => this.#state !== "closed" && this.#events.described(description));
    const remote = offer ?? (await orCancelled(answered, signal));
    this.#answer = undefined;
    if (!descriptionSchema.safeParse(remote).success) throw new Error("the description is not valid");
    if (offer === undefined && remote.setup === "actpass") throw new Error("an answer has to choose its role");
    this.#state = "connecting";
    this.#setRemote(ice, remote);
    await ice.connect();
    const isClient = offer === undefined ? remote.setup === "passive" : setup === "active";
    await this.#connect(werift, certificate, ice, remote.fingerprint, isClient);
  }

  #makeIce(werift: Werift): IceAgent {
    const ice = new IceAgent({
      werift,
      isControlling: this.#isOfferer,
      signal: this.#abort.signal,
      onDtls: (data) => this.#receiveDtls(data),
      onLateCandidate: (candidate) => {
        this.#lateCandidates += 1;
        if (this.#state !== "closed" && this.#lateCandidates <= LATE_CANDIDATES_MAX) this.#events.candidate(candidate);
      },
      onFailed: () => this.close("failed"),
      onDropped: (reason) => this.#events.dropped(reason),
    });
    this.#ice = ice;
    return ice;
  }

  #setRemote(ice: IceAgent, remote: Description): void {
    ice.setRemote(remote);
    const early = this.#remoteCandidates;
    this.#remoteCandidates = allowedCandidates([...remote.candidates, ...early]);
    this.#isRemoteSet = true;
    const refused = remote.candidates.length + early.length - this.#remoteCandidates.length;
    for (let i = 0; i < refused; i += 1) this.#events.dropped("candidate");
    for (const [rank, candidate] of this.#remoteCandidates.entries()) ice.addCandidate(candidate, rank);
  }

  async #connect(
    werift: Werift,
    certificate: LocalCertificate,
    ice: IceAgent,
    fingerprint: Uint8Array,
    isClient: boolean,
  ): Promise<void> {
    const { signal } = this.#abort;
    const dtls = new DtlsLink({
      werift,
      certificate,
      isClient,
      fingerprint,
      signal,
      send: (data) => ice.send(data),
      onData: (packet) => this.#sctp?.receive(packet),
      onAlert: () => this.close("remote"),
      onDropped: () => this.#events.dropped("dtls"),
    });
    const sctp = new SctpLink({
      werift,
      isClient: this.#isOfferer,
      send: (packet) => dtls.send(packet),
      onEstablished: () => this.#greet(),
      onFrame: (frame) => this.#receiveFrame(frame),
      onClosed: (reason) => this.close(reason),
      onDropped: () => this.#events.dropped("sctp"),
    });
    this.#dtls = dtls;
    this.#sctp = sctp;
    dtls.start();
    for (const data of this.#early) dtls.receive(data);
    this.#early = [];
    await orCancelled(dtls.connected, signal);
    sctp.start();
  }

  /** The first record is the label. */
  #greet(): void {
    if (this.#hasGreeted || this.#state === "closed") return;
    this.#hasGreeted = true;
    this.#sender.send(Buffer.from(this.#label, "latin1"));
  }

  #receiveDtls(data: Buffer): void {
    if (this.#state === "closed") return;
    if (this.#dtls !== undefined) this.#dtls.receive(data);
    else if (this.#early.length < EARLY_MAX) this.#early.push(data);
    else this.#events.dropped("dtls");
  }

  #receiveFrame(frame: Buffer): void {
    if (this.#state === "closed") return;
    const records = readRecords(frame);
    if (records === undefined) {
      this.close("misbehaved");
      return;
    }
    this.receivedBytes += frame.length;
    for (const record of records) {
      // `closed` may come of any callback.
      if (this.state === "open") this.#events.message(record);
      else if (this.state === "connecting") this.#openWith(record);
    }
  }

  #openWith(record: Uint8Array): void {
    if (Buffer.from(record).toString("latin1") !== this.#label) {
      this.close("misbehaved");
      return;
    }
    // Data of the peer says that the association stands, even where the SCTP message that says so was lost.
    this.#greet();
    clearTimeout(this.#deadline);
    this.#state = "open";
    this.#events.opened();
  }
}
