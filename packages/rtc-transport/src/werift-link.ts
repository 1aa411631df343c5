// One channel's ICE, DTLS and SCTP by werift, each behind its own screen, joined here.
import type { Candidate, Description } from "@starling/wire-protocol";
import { CANDIDATES_MAX } from "@starling/wire-protocol";
import { orCancelled } from "./cancellation.ts";
import { type LocalCertificate, localCertificate } from "./certificate.ts";
import { DtlsLink } from "./dtls-link.ts";
import { patchFlights } from "./flight-retransmission.ts";
import { IceAgent } from "./ice-agent.ts";
import type { Link, LinkOptions, RtcBackend } from "./link.ts";
import { SctpLink } from "./sctp-link.ts";
import { loadWerift, type Werift } from "./werift.ts";

/** The first flight of a peer whose ICE was done a moment before ours. */
const EARLY_MAX = 8;

export type WeriftParts = { readonly werift: Werift; readonly certificate: LocalCertificate };

let loaded: WeriftParts | undefined;

export async function loadParts(): Promise<WeriftParts> {
  if (loaded !== undefined) return loaded;
  const werift = await loadWerift();
  await patchFlights(werift);
  const certificate = await localCertificate(werift);
  loaded ??= { werift, certificate };
  return loaded;
}

export const weriftBackend: RtcBackend = {
  async warmUp() {
    await loadParts();
  },
  open(options) {
    if (loaded === undefined) throw new Error("warmUp comes first");
    return new WeriftLink(options, loaded);
  },
};

class WeriftLink implements Link {
  readonly #options: LinkOptions;
  readonly #parts: WeriftParts;
  readonly #abort: AbortController = new AbortController();
  readonly #ice: IceAgent;
  readonly #setup: Description["setup"];
  #dtls: DtlsLink | undefined;
  #sctp: SctpLink | undefined;
  // BOUNDED: datagrams of DTLS that come before our own ICE is done, EARLY_MAX.
  #early: Buffer[] = [];

  constructor(options: LinkOptions, parts: WeriftParts) {
    this.#options = options;
    this.#parts = parts;
    const { offer } = options;
    this.#setup = offer === undefined ? "actpass" : offer.setup === "active" ? "passive" : "active";
    this.#ice = new IceAgent({
      werift: parts.werift,
      isControlling: offer === undefined,
      signal: this.#abort.signal,
      onDtls: (data) => this.#receiveDtls(data),
      onLateCandidate: options.onLateCandidate,
      onFailed: () => options.onClosed("failed"),
      onDropped: options.onDropped,
    });
  }

  get rttMs(): number | undefined {
    return this.#sctp?.rttMs ?? this.#ice.rttMs;
  }

  get signsOfLife(): number {
    return this.#ice.signsOfLife;
  }

  async describe(): Promise<Description> {
    const { bindAddresses, iceServers, gatherMs } = this.#options;
    const candidates = await orCancelled(this.#ice.gather(bindAddresses, iceServers, gatherMs), this.#abort.signal);
    if (candidates.length === 0) throw new Error("none of the addresses can be bound");
    const { ufrag, pwd } = this.#ice;
    const { fingerprint } = this.#parts.certificate;
    return { setup: this.#setup, ufrag, pwd, fingerprint, candidates: candidates.slice(0, CANDIDATES_MAX) };
  }

  async connect(remote: Description): Promise<void> {
    const { signal } = this.#abort;
    this.#ice.setRemote(remote);
    for (const [rank, candidate] of remote.candidates.entries()) this.#ice.addCandidate(candidate, rank);
    await this.#ice.connect();
    const isOfferer = this.#options.offer === undefined;
    const dtls = this.#makeDtls(remote, isOfferer ? remote.setup === "passive" : this.#setup === "active");
    const sctp = this.#makeSctp(dtls, isOfferer);
    this.#dtls = dtls;
    this.#sctp = sctp;
    dtls.start();
    for (const data of this.#early) dtls.receive(data);
    this.#early = [];
    await orCancelled(dtls.connected, signal);
    sctp.start();
  }

  addCandidate(candidate: Candidate, rank: number): void {
    this.#ice.addCandidate(candidate, rank);
  }

  send(frame: Uint8Array): Promise<void> {
    return this.#sctp?.send(frame) ?? Promise.resolve();
  }

  acknowledged(): Promise<void> {
    return this.#sctp?.acknowledged() ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.#early = [];
    // In this order: SCTP's last word still needs what is below it.
    await this.#sctp?.close();
    this.#abort.abort();
    await this.#ice.close();
  }

  sever(): void {
    this.#ice.sever();
  }

  #makeDtls(remote: Description, isClient: boolean): DtlsLink {
    const { onClosed, onDropped } = this.#options;
    return new DtlsLink({
      werift: this.#parts.werift,
      certificate: this.#parts.certificate,
      isClient,
      fingerprint: remote.fingerprint,
      signal: this.#abort.signal,
      send: (data) => this.#ice.send(data),
      onData: (packet) => this.#sctp?.receive(packet),
      onAlert: () => onClosed("remote"),
      onDropped: () => onDropped("dtls"),
    });
  }

  #makeSctp(dtls: DtlsLink, isClient: boolean): SctpLink {
    const { onEstablished, onFrame, onClosed, onDropped } = this.#options;
    return new SctpLink({
      werift: this.#parts.werift,
      isClient,
      send: (packet) => dtls.send(packet),
      onEstablished,
      onFrame,
      onClosed,
      onDropped: () => onDropped("sctp"),
    });
  }

  #receiveDtls(data: Buffer): void {
    if (this.#dtls !== undefined) this.#dtls.receive(data);
    else if (this.#early.length < EARLY_MAX) this.#early.push(data);
    else this.#options.onDropped("dtls");
  }
}
