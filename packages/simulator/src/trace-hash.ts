import type { Address } from "@starling/wire-protocol";

/** Two lanes of 32 bits over the time, the ends and the bytes of everything that arrives: a name for a whole run. */
export class TraceHash {
  #low = 0x811c_9dc5;
  #high = 0x9747_b28c;
  readonly #time = new Float64Array(1);
  readonly #timeWords = new Uint32Array(this.#time.buffer);

  add(atMs: number, from: Address, to: Address, bytes: Uint8Array): void {
    this.#time[0] = atMs;
    this.#mix(this.#timeWords[0] as number);
    this.#mix(this.#timeWords[1] as number);
    this.#text(from.ip);
    this.#text(to.ip);
    this.#mix(from.port * 65_536 + to.port);
    let low = this.#low;
    let high = this.#high;
    for (const byte of bytes) {
      low = Math.imul(low ^ byte, 0x0100_0193);
      high = Math.imul(high ^ low, 0x85eb_ca6b);
    }
    this.#low = low;
    this.#high = high ^ bytes.length;
  }

  get hex(): string {
    const lane = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return lane(this.#high) + lane(this.#low);
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.#mix(text.charCodeAt(i));
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x0100_0193);
    this.#high = Math.imul(this.#high ^ this.#low ^ (word >>> 16), 0x85eb_ca6b);
  }
}
