import type { SessionKeys } from "@starling/crypto-identity";
import { DATA_HEADER_BYTES, DATA_OVERHEAD_BYTES, type Data, writeDataHeader } from "@starling/wire-protocol";
import { INITIATOR_REKEY_MS, RESPONDER_REKEY_MS } from "./limits.ts";
import { ReplayWindow } from "./replay-window.ts";
import { takeBytes } from "./slab.ts";

export type Opened = { readonly plaintext: Uint8Array; readonly isNewest: boolean };

/** The keys of one finished handshake, with what belongs to them: indexes, counters, window. */
export class Session {
  /** The index that the peer writes on Data for us, and the one we write for it. */
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** Whether we sent the Hello. */
  readonly isInitiator: boolean;
  readonly remoteEpoch: string;
  readonly establishedMono: number;
  /** Whether Data has opened under these keys: until then the peer may not have them. */
  isHeard = false;
  readonly #keys: SessionKeys;
  readonly #window: ReplayWindow = new ReplayWindow();
  #nextCounter = 0;

  constructor(options: {
    readonly localIndex: number;
    readonly remoteIndex: number;
    readonly isInitiator: boolean;
    readonly remoteEpoch: string;
    readonly keys: SessionKeys;
    readonly nowMono: number;
  }) {
    this.localIndex = options.localIndex;
    this.remoteIndex = options.remoteIndex;
    this.isInitiator = options.isInitiator;
    this.remoteEpoch = options.remoteEpoch;
    this.#keys = options.keys;
    this.establishedMono = options.nowMono;
  }

  rekeyMono(afterMessages: number): number {
    if (this.#nextCounter >= afterMessages) return this.establishedMono;
    return this.establishedMono + (this.isInitiator ? INITIATOR_REKEY_MS : RESPONDER_REKEY_MS);
  }

  /** A whole Data datagram around `frames`. */
  seal(frames: Uint8Array): Uint8Array {
    const datagram = takeBytes(DATA_OVERHEAD_BYTES + frames.length);
    writeDataHeader(datagram, this.remoteIndex, this.#nextCounter);
    const header = datagram.subarray(0, DATA_HEADER_BYTES);
    datagram.set(this.#keys.send.seal(this.#nextCounter, header, frames), DATA_HEADER_BYTES);
    this.#nextCounter += 1;
    return datagram;
  }

  /** Decrypt, then window: what does not open changes nothing. */
  open(data: Data): Opened | "dropped.undecryptable" | "dropped.replay" {
    const plaintext = this.#keys.receive.open(data.counter, data.header, data.ciphertext);
    if (plaintext === undefined) return "dropped.undecryptable";
    const isNewest = this.#window.isNewest(data.counter);
    if (!this.#window.accept(data.counter)) return "dropped.replay";
    this.isHeard = true;
    return { plaintext, isNewest };
  }
}
