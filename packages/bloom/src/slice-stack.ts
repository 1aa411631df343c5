// The slices of one scalable Bloom filter, fed with hashes, not items.
import { BitSlice, sliceSize } from "./bit-slice.ts";
import { damaged, type ImageReader, type ImageWriter } from "./image.ts";
import type { ScalingPlan } from "./scaling-plan.ts";

export class SliceStack {
  readonly #plan: ScalingPlan;
  // BOUNDED: by the plan. A slice is allocated at its first item: an idle filter costs nothing.
  readonly #slices: BitSlice[] = [];
  #room = 0;
  #count = 0;
  #sizeBytes = 0;

  constructor(plan: ScalingPlan) {
    this.#plan = plan;
  }

  /** @throws BloomError `E_BLOOM_IMAGE` if the plan cannot have led to it */
  static read(plan: ScalingPlan, image: ImageReader): SliceStack {
    const stack = new SliceStack(plan);
    const count = image.u32();
    for (let left = image.u8(); left > 0; left -= 1) {
      const next = plan.slices[stack.#slices.length];
      // A slice is there for an item that found all before it full.
      if (next === undefined || stack.#count >= count) throw damaged("a slice too many");
      stack.#push(BitSlice.read(image, sliceSize(next.capacity, next.errorRate)));
      stack.#room = Math.max(0, stack.#count + next.capacity - count);
      stack.#count += next.capacity - stack.#room;
    }
    if (stack.#count !== count) throw damaged("a slice is missing");
    return stack;
  }

  write(image: ImageWriter): void {
    image.u32(this.#count);
    image.u8(this.#slices.length);
    for (const slice of this.#slices) slice.write(image);
  }

  /** What `write` writes. */
  get imageBytes(): number {
    return this.#slices.reduce((sum, slice) => sum + slice.imageBytes, 5);
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** False if it was not stored, for every slice is full; what is found already takes no room. */
  add(hash: Int32Array): boolean {
    if (this.has(hash)) return true;
    if (this.#room === 0 && !this.#grow()) return false;
    this.#slices[this.#slices.length - 1]?.add(hash);
    this.#room -= 1;
    this.#count += 1;
    return true;
  }

  /** Newest slice first: it is the greatest, and what comes twice mostly comes soon. */
  has(hash: Int32Array): boolean {
    for (let index = this.#slices.length - 1; index >= 0; index -= 1) {
      if (this.#slices[index]?.has(hash)) return true;
    }
    return false;
  }

  #grow(): boolean {
    const next = this.#plan.slices[this.#slices.length];
    if (next === undefined) return false;
    this.#push(new BitSlice(sliceSize(next.capacity, next.errorRate)));
    this.#room = next.capacity;
    return true;
  }

  #push(slice: BitSlice): void {
    this.#slices.push(slice);
    this.#sizeBytes += slice.sizeBytes;
  }
}
