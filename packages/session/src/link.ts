// One open link: the peer's sessions, its address, and the state that outlives a rekey.
//
//   a session with the peer's epoch unchanged      numbers go on; the old keys open for 30 s more
//   ... with a new epoch (the peer forgot us)      numbers start anew, old keys are dropped at once
//   ... with an epoch that was replaced before     a late handshake of the peer's former life: refused
//   own and peer's Hello crossed                   the session that the greater id initiated only opens from now on
import type { NodeId } from "@starling/crypto-identity";
import type { Address, Frame } from "@starling/wire-protocol";
import type { Carrier } from "./carrier.ts";
import { OLD_KEYS_MS, PINGS_PER_SECOND, UNCONFIRMED_MS } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Pacer } from "./pacer.ts";
import { Path } from "./path.ts";
import { Reassembly, type ReassemblyBudget } from "./reassembly.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { ReliableSender } from "./reliable-sender.ts";
import type { Session } from "./session.ts";
import { isSameAddress } from "./source-address.ts";
import { TokenBucket } from "./token-bucket.ts";
import { newTraffic, type Traffic } from "./traffic.ts";

const OLD_SESSIONS_MAX = 3;
const RETIRED_EPOCHS_MAX = 8;

type OldSession = { readonly session: Session; readonly expiresMono: number };

export type Adoption = { readonly outcome: "kept" | "restarted" | "refused"; readonly dropped: Session[] };

export class Link {
  readonly type = "link";
  readonly peer: NodeId;
  readonly self: NodeId;
  readonly carrier: Carrier;
  readonly localEpoch: Uint8Array;
  readonly sinceMono: number;
  readonly sender: ReliableSender = new ReliableSender();
  readonly reassembly: Reassembly;
  readonly liveness: Liveness;
  readonly pacer: Pacer;
  /** What the peer may cost us (PROTOCOL §3.4, §5.3). */
  readonly datagrams: TokenBucket;
  readonly pings: TokenBucket;
  readonly traffic: Traffic = newTraffic();
  receiver: ReceiveWindow = new ReceiveWindow();
  path: Path;
  #validatedAddress: Address | undefined;
  /** Where the owner was last told that the peer is. */
  toldAddress: Address;
  current: Session;
  /** Pongs that the next flush carries. BOUNDED: by the reader of frames. */
  pongs: Uint8Array[] = [];
  /** Frames that are sent once. BOUNDED: by the limits of queued frames and bytes. */
  unreliable: Frame[] = [];
  unreliableBytes = 0;
  /** No own Hello for this link's sake before. */
  nextHelloMono: number;
  /** A frame ran out of tries: a Hello is due. */
  isSilent = false;
  // BOUNDED: OLD_SESSIONS_MAX, oldest out.
  #old: OldSession[] = [];
  // BOUNDED: RETIRED_EPOCHS_MAX, oldest out.
  readonly #retiredEpochs: string[] = [];

  constructor(options: {
    readonly self: NodeId;
    readonly peer: NodeId;
    readonly carrier: Carrier;
    readonly localEpoch: Uint8Array;
    readonly session: Session;
    readonly address: Address;
    readonly isValidated: boolean;
    readonly budget: ReassemblyBudget;
    readonly datagramsPerSecond: number;
    readonly nowMono: number;
  }) {
    this.self = options.self;
    this.peer = options.peer;
    this.carrier = options.carrier;
    this.localEpoch = options.localEpoch;
    this.sinceMono = options.nowMono;
    this.nextHelloMono = options.nowMono;
    this.current = options.session;
    this.path = new Path(options.address, options.isValidated);
    if (options.isValidated) this.#validatedAddress = options.address;
    this.toldAddress = options.address;
    this.reassembly = new Reassembly(options.budget);
    this.liveness = new Liveness(options.nowMono);
    this.pacer = new Pacer(options.nowMono);
    this.datagrams = new TokenBucket(options.datagramsPerSecond, options.datagramsPerSecond, options.nowMono);
    this.pings = new TokenBucket(PINGS_PER_SECOND, 2 * PINGS_PER_SECOND, options.nowMono);
  }

  get sessions(): Session[] {
    return [this.current, ...this.#old.map((old) => old.session)];
  }

  /** The last address that the peer proved to receive at, which is not always the one in use. */
  get validatedAddress(): Address | undefined {
    return this.#validatedAddress;
  }

  get queuedBytes(): number {
    return this.sender.queuedBytes + this.unreliableBytes;
  }

  /** Whether the peer may not have the current keys, or may not be where it seems: then Pings follow soon. */
  get isHurried(): boolean {
    return !this.path.isValidated || this.isUnheard;
  }

  /** Whether the peer may have dropped the session before our first Data came to confirm it. */
  get isUnheard(): boolean {
    return this.current.isInitiator && !this.current.isHeard;
  }

  /** A Hello for this link's sake left; the next not before this time. */
  helloSent(nextHelloMono: number): void {
    this.isSilent = false;
    this.nextHelloMono = nextHelloMono;
  }

  /** Takes a further session of this peer; `dropped` are those that no longer open anything. */
  adopt(session: Session, nowMono: number): Adoption {
    if (this.#retiredEpochs.includes(session.remoteEpoch)) return { outcome: "refused", dropped: [session] };
    if (session.remoteEpoch !== this.current.remoteEpoch) return this.#restart(session, nowMono);
    const kept = this.#preferred(session);
    const replaced = kept === session ? this.current : session;
    this.current = kept;
    this.#old.push({ session: replaced, expiresMono: nowMono + OLD_KEYS_MS });
    const surplus = this.#old.splice(0, Math.max(0, this.#old.length - OLD_SESSIONS_MAX));
    return { outcome: "kept", dropped: surplus.map((old) => old.session) };
  }

  /** Sessions whose 30 s are over. */
  expireSessions(nowMono: number): Session[] {
    const expired = this.#old.filter((old) => old.expiresMono <= nowMono);
    if (expired.length > 0) this.#old = this.#old.filter((old) => old.expiresMono > nowMono);
    return expired.map((old) => old.session);
  }

  oldestExpiryMono(): number {
    return this.#old[0]?.expiresMono ?? Number.POSITIVE_INFINITY;
  }

  /** Goes over to another address; false when it is the one already in use. */
  moveTo(address: Address, isValidated: boolean, nowMono: number): boolean {
    const isMove = !isSameAddress(address, this.path.address);
    if (isMove) {
      this.path = new Path(address, false);
      this.liveness.hurry(nowMono);
    }
    if (isValidated) this.validatePath();
    return isMove;
  }

  /** The peer has proved to receive at the address in use. */
  validatePath(): void {
    this.path.validate();
    this.#validatedAddress = this.path.address;
  }

  /** The address that the peer has proved, once, where it is another than the owner knows of. */
  takeMove(): Address | undefined {
    const { address, isValidated } = this.path;
    if (!isValidated || isSameAddress(address, this.toldAddress)) return undefined;
    this.toldAddress = address;
    return address;
  }

  #preferred(session: Session): Session {
    const { current } = this;
    const isCrossed =
      current.isInitiator !== session.isInitiator && session.establishedMono - current.establishedMono < UNCONFIRMED_MS;
    if (!isCrossed) return session;
    // Both ends hold both sessions and compare the same two ids, so they choose alike (PROTOCOL §3.4).
    return this.self < this.peer === session.isInitiator ? session : current;
  }

  #restart(session: Session, nowMono: number): Adoption {
    this.#retiredEpochs.push(this.current.remoteEpoch);
    if (this.#retiredEpochs.length > RETIRED_EPOCHS_MAX) this.#retiredEpochs.shift();
    const dropped = this.sessions;
    this.#old = [];
    this.current = session;
    this.sender.restart(nowMono);
    this.receiver = new ReceiveWindow();
    this.reassembly.clear();
    return { outcome: "restarted", dropped };
  }
}
