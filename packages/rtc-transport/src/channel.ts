// One channel, from its description to its end. Forward only:
//
//   gathering → signalling (an offer waits for its answer) → connecting (ICE, DTLS, SCTP, label) → open
//        └──────────────┴──────────────────────┴───────────────────┴──→ closed
//
// Whatever happens, `closed` is reported once, and nothing after it.
import type { Address, Candidate, Description } from "@starling/wire-protocol";
import { CANDIDATES_MAX, descriptionSchema } from "@starling/wire-protocol";
import { orCancelled, pause } from "./cancellation.ts";
import { allowedCandidates } from "./candidate-policy.ts";
import { FrameSender } from "./frame-sender.ts";
import { FrameReader, type PartsBudget } from "./framing.ts";
import type { DropReason, Link, RtcBackend } from "./link.ts";
import { Liveness, TICK_MS } from "./liveness.ts";

/** Stages of a channel, in this order. */
export type ChannelState = "gathering" | "signalling" | "connecting" | "open" | "closed";
/** Why a channel ended: by whose hand, or by which rule of the hub. */
export type CloseReason = "local" | "remote" | "failed" | "timeout" | "misbehaved" | "busy" | "policy";

const LATE_CANDIDATES_MAX = 2;
/** How long a close waits for what was sent before it. */
const LINGER_MS = 500;

export type ChannelSettings = {
  readonly backend: RtcBackend;
  readonly bindAddresses: readonly string[];
  readonly iceServers: readonly Address[];
  readonly gatherMs: number;
  readonly openMs: number;
  readonly maxMessageBytes: number;
  readonly budget: PartsBudget;
};

export type ChannelEvents = {
  described(description: Description): void;
  candidate(candidate: Candidate): void;
  opened(): void;
  message(bytes: Uint8Array): void;
  closed(reason: CloseReason): void;
  dropped(reason: DropReason): void;
};

export class Channel {
  readonly #label: string;
  readonly #settings: ChannelSettings;
  readonly #events: ChannelEvents;
  readonly #abort: AbortController = new AbortController();
  readonly #deadline: NodeJS.Timeout;
  readonly #sender: FrameSender;
  readonly #reader: FrameReader;
  readonly #isLoopback: boolean;
  #watch: NodeJS.Timeout | undefined;
  #state: ChannelState = "gathering";
  #link: Link | undefined;
  #answer: ((answer: Description) => void) | undefined;
  #hasGreeted = false;
  // BOUNDED: CANDIDATES_MAX, with those of the description.
  #remoteCandidates: Candidate[] = [];
  #isRemoteSet = false;
  #lateCandidates = 0;
  readonly #hurry: AbortController = new AbortController();
  #teardown: Promise<void> | undefined;
  /** Of frames. */
  receivedBytes = 0;

  /** With an offer of the peer this side answers it; without one it makes the offer. */
  constructor(label: string, settings: ChannelSettings, events: ChannelEvents, offer: Description | undefined) {
    this.#label = label;
    this.#settings = settings;
    this.#events = events;
    this.#isLoopback = settings.bindAddresses.every((ip) => ip === "::1" || ip.startsWith("127."));
    this.#sender = new FrameSender((frame) => this.#link?.send(frame) ?? Promise.resolve());
    this.#reader = new FrameReader(settings.maxMessageBytes, settings.budget);
    this.#deadline = setTimeout(() => this.#end("timeout"), settings.openMs);
    this.#negotiate(offer).catch(() => this.#end("failed"));
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Of frames. */
  get sentBytes(): number {
    return this.#sender.sentBytes;
  }

  get rttMs(): number | undefined {
    return this.#link?.rttMs;
  }

  /** Resolves when all that the channel held is free again; only after its end. */
  get gone(): Promise<void> {
    return this.#teardown ?? Promise.resolve();
  }

  /** The first answer counts; a repeated one is no news. */
  answer(answer: Description): void {
    this.#answer?.(answer);
  }

  addCandidate(candidate: Candidate): void {
    if (this.#state === "closed") return;
    const room = CANDIDATES_MAX - this.#remoteCandidates.length;
    const [allowed] = allowedCandidates([candidate], { room, isLoopback: this.#isLoopback });
    if (allowed === undefined) {
      this.#events.dropped("candidate");
      return;
    }
    this.#remoteCandidates.push(allowed);
    if (this.#isRemoteSet) this.#link?.addCandidate(allowed, this.#remoteCandidates.length - 1);
  }

  send(message: Uint8Array, isUrgent: boolean): "sent" | "queued" | "full" | "not-open" {
    if (this.#state !== "open") return "not-open";
    return this.#sender.send(message, isUrgent);
  }

  room(): Promise<boolean> {
    return this.#state === "open" ? this.#sender.room() : Promise.resolve(false);
  }

  sever(): void {
    this.#link?.sever();
  }

  /** What was sent goes first, if it can within LINGER_MS. */
  close(): void {
    this.#end("local", this.#state === "open");
  }

  cancel(): void {
    this.#end("local");
    this.#hurry.abort();
  }

  #end(reason: CloseReason, lingers = false): void {
    if (this.#state === "closed") {
      if (reason !== "local") this.#hurry.abort();
      return;
    }
    this.#state = "closed";
    clearTimeout(this.#deadline);
    clearInterval(this.#watch);
    this.#reader.close();
    this.#abort.abort();
    this.#teardown = this.#tearDown(lingers);
    // Not within the caller's own call: it may be in the middle of a step of its own.
    queueMicrotask(() => this.#events.closed(reason));
  }

  async #tearDown(lingers: boolean): Promise<void> {
    if (lingers) {
      const { signal } = this.#hurry;
      const said = this.#sender.idle().then(() => this.#link?.acknowledged());
      await Promise.race([orCancelled(said, signal).catch(() => {}), pause(LINGER_MS, signal)]);
      this.#hurry.abort();
    }
    this.#sender.close();
    await this.#link?.close();
  }

  async #negotiate(offer: Description | undefined): Promise<void> {
    const { signal } = this.#abort;
    const { backend, bindAddresses, iceServers, gatherMs } = this.#settings;
    const known = offer === undefined ? undefined : this.#filter(offer);
    await orCancelled(backend.warmUp(), signal);
    const link = backend.open({
      offer: known,
      bindAddresses,
      iceServers,
      gatherMs,
      onLateCandidate: (candidate) => this.#tellCandidate(candidate),
      onEstablished: () => this.#greet(),
      onFrame: (frame) => this.#receiveFrame(frame),
      onClosed: (reason) => this.#end(reason),
      onDropped: (reason) => this.#events.dropped(reason),
    });
    this.#link = link;
    const description = await orCancelled(link.describe(), signal);
    this.#state = "signalling";
    const answered = new Promise<Description>((resolve) => {
      this.#answer = resolve;
    });
    queueMicrotask(() => this.#state !== "closed" && this.#events.described(description));
    const remote = known ?? this.#filter(await orCancelled(answered, signal));
    this.#answer = undefined;
    if (offer === undefined && remote.setup === "actpass") throw new Error("an answer has to choose its role");
    this.#state = "connecting";
    const early = this.#remoteCandidates;
    this.#remoteCandidates = this.#allowed([...remote.candidates, ...early]);
    this.#isRemoteSet = true;
    await orCancelled(link.connect({ ...remote, candidates: this.#remoteCandidates }), signal);
  }

  /** A description of the peer; throws for one that is not valid. */
  #filter(description: Description): Description {
    if (!descriptionSchema.safeParse(description).success) throw new Error("the description is not valid");
    return { ...description, candidates: this.#allowed(description.candidates) };
  }

  #allowed(candidates: readonly Candidate[]): Candidate[] {
    const allowed = allowedCandidates(candidates, { isLoopback: this.#isLoopback });
    for (let i = allowed.length; i < candidates.length; i += 1) this.#events.dropped("candidate");
    return allowed;
  }

  #tellCandidate(candidate: Candidate): void {
    this.#lateCandidates += 1;
    if (this.#state !== "closed" && this.#lateCandidates <= LATE_CANDIDATES_MAX) this.#events.candidate(candidate);
  }

  /** The first record is the label. */
  #greet(): void {
    if (this.#hasGreeted || this.#state === "closed") return;
    this.#hasGreeted = true;
    this.#sender.send(new TextEncoder().encode(this.#label), true);
  }

  #receiveFrame(frame: Uint8Array): void {
    if (this.#state === "closed") return;
    const messages = this.#reader.read(frame);
    if (messages === "bad" || messages === "busy") {
      this.#end(messages === "bad" ? "misbehaved" : "busy");
      return;
    }
    this.receivedBytes += frame.length;
    for (const message of messages) {
      // `closed` may come of any callback.
      if (this.state === "open") this.#events.message(message);
      else if (this.state === "connecting") this.#openWith(message);
    }
  }

  #openWith(message: Uint8Array): void {
    if (Buffer.from(message).toString("latin1") !== this.#label) {
      this.#end("misbehaved");
      return;
    }
    // Data of the peer says that the association stands, even where the SCTP message that says so was lost.
    this.#greet();
    clearTimeout(this.#deadline);
    this.#state = "open";
    const liveness = new Liveness(this.#link?.signsOfLife);
    this.#watch = setInterval(() => {
      const verdict = liveness.tick(this.#link?.signsOfLife, this.#reader.begun, this.#reader.isUnfinished);
      if (verdict !== "alive") this.#end(verdict === "dead" ? "failed" : "misbehaved");
    }, TICK_MS);
    this.#events.opened();
  }
}
