// Writes the mint kernel: SHA-256 of a stamp's second block for many nonces, unrolled. The words of that block are known, or
// known to stay, but for one: nonce high, nonce low (which counts), 0x80000000, zeros, the length. So the program is not
// written down but computed, by running SHA-256 over values of three kinds:
//
//   constant   known now:                            worked out here
//   fixed      the same for every nonce of a call:   worked out before the loop, once
//   varying    depends on the nonce's low word:      worked out in the loop, for four nonces at once with SIMD
import { ROUND_CONSTANTS } from "../src/sha256.ts";
import { INPUT_BITS, PADDING_WORD } from "../src/stamp-input.ts";
import {
  type Code,
  constant,
  get,
  I32,
  i32,
  i32x4,
  loopWhile,
  moduleOf,
  RETURN,
  set,
  tee,
  V128,
  when,
} from "./wasm-module.ts";

/** `code` leaves the value on the stack: four lanes if it varies and there is SIMD, else an i32. */
type Value =
  | { readonly kind: "constant"; readonly word: number; readonly code: Code }
  | { readonly kind: "fixed" | "varying"; readonly code: Code; readonly isLocal: boolean };

type Operation = "add" | "and" | "or" | "xor" | "shiftLeft" | "shiftRight" | "rotateRight";

// The parameters, in order; see `Kernel` in src/kernel.ts.
const MIDSTATE = 0;
const NONCE_HIGH = 8;
const NONCE_LOW = 9;
const TARGET = 10;
const TRIES = 11;
const PARAMETERS = 12;
// The first locals.
const OFFSET = 12;
const MASK = 13;

class Program {
  readonly #simd: boolean;
  readonly #setup: number[] = [];
  readonly #loop: number[] = [];
  readonly #localTypes: number[] = [I32, I32];
  readonly #lifted = new Map<string, Code>();

  constructor(simd: boolean) {
    this.#simd = simd;
  }

  get laneType(): number {
    return this.#simd ? V128 : I32;
  }

  newLocal(type: number): number {
    return PARAMETERS + this.#localTypes.push(type) - 1;
  }

  beforeLoop(...code: Code[]): void {
    this.#setup.push(...code.flat());
  }

  inLoop(...code: Code[]): void {
    this.#loop.push(...code.flat());
  }

  /** Puts a value into a local of its own, so that it can be used twice. */
  keep(value: Value): Value {
    if (value.kind === "constant" || value.isLocal) return value;
    const local = this.newLocal(value.kind === "fixed" ? I32 : this.laneType);
    if (value.kind === "fixed") this.beforeLoop(value.code, set(local));
    else this.inLoop(value.code, set(local));
    return inLocal(value.kind, local);
  }

  /** The code of a value as an operand beside a varying one. */
  lift(value: Value): Code {
    if (value.kind === "varying") return value.code;
    if (!this.#simd) return value.kind === "constant" ? value.code : this.keep(value).code;
    const key = value.code.join();
    const known = this.#lifted.get(key);
    if (known !== undefined) return known;
    const local = this.newLocal(V128);
    this.beforeLoop(value.code, i32x4.splat, set(local));
    this.#lifted.set(key, get(local));
    return get(local);
  }

  apply(operation: Operation, left: Value, right: Value): Value {
    if (left.kind === "constant" && right.kind === "constant") {
      return word(fold(operation, left.word, right.word));
    }
    if (left.kind !== "varying" && right.kind !== "varying") {
      return { kind: "fixed", isLocal: false, code: [...left.code, ...right.code, ...i32[operation]] };
    }
    if (!this.#simd)
      return { kind: "varying", isLocal: false, code: [...left.code, ...this.lift(right), ...i32[operation]] };
    if (operation === "shiftLeft" || operation === "shiftRight") {
      return { kind: "varying", isLocal: false, code: [...left.code, ...right.code, ...i32x4[operation]] };
    }
    if (operation === "rotateRight") throw new Error("SIMD has no rotation");
    return { kind: "varying", isLocal: false, code: [...this.lift(left), ...this.lift(right), ...i32x4[operation]] };
  }

  /** The sum, with what does not vary added up first. */
  sum(...values: Value[]): Value {
    const ofKind = (kind: Value["kind"]) => values.filter((value) => value.kind === kind);
    const add = (left: Value, right: Value): Value => {
      if (left.kind === "constant" && left.word === 0) return right;
      if (right.kind === "constant" && right.word === 0) return left;
      return this.apply("add", left, right);
    };
    const steady = [...ofKind("constant"), ...ofKind("fixed")].reduce(add, word(0));
    const varying = ofKind("varying");
    const [first, ...rest] = varying;
    if (first === undefined) return steady;
    return add(rest.reduce(add, first), steady);
  }

  xor(first: Value, ...rest: Value[]): Value {
    return rest.reduce((left, right) => this.apply("xor", left, right), first);
  }

  /** @param value kept: it is used twice */
  rotateRight(value: Value, bits: number): Value {
    if (value.kind !== "varying" || !this.#simd) return this.apply("rotateRight", value, word(bits));
    return this.apply(
      "or",
      this.apply("shiftRight", value, word(bits)),
      this.apply("shiftLeft", value, word(32 - bits)),
    );
  }

  finish(name: string, after: Code): Uint8Array {
    const locals = this.#localTypes.map((type) => [1, type] as const);
    return moduleOf(name, {
      parameters: PARAMETERS,
      locals: mergeRuns(locals),
      code: [...this.#setup, ...loopWhile(this.#loop), ...after],
    });
  }
}

/** @param simd four nonces at once, in modules that need SIMD; else one */
export function buildKernel(simd: boolean): Uint8Array {
  const program = new Program(simd);
  const lanes = simd ? 4 : 1;

  const counter = program.newLocal(program.laneType);
  program.beforeLoop(get(NONCE_LOW));
  if (simd) {
    program.beforeLoop(i32x4.splat);
    for (let lane = 1; lane < lanes; lane += 1) {
      program.beforeLoop(get(NONCE_LOW), constant(lane), i32.add, i32x4.replaceLane(lane));
    }
  }
  program.beforeLoop(set(counter));

  const first = program.keep(firstHashWord(program, inLocal("varying", counter)));
  const target = program.lift(inLocal("fixed", TARGET));
  const hit = simd ? [...i32x4.lessOrEqualUnsigned, ...i32x4.bitmask] : i32.lessOrEqualUnsigned;
  // A hit: the lowest lane that has one. The host throws away what lies beyond `tries`.
  const found = [...get(OFFSET), ...get(MASK), ...i32.trailingZeros, ...i32.add, ...RETURN];
  program.inLoop(first.code, target, hit, tee(MASK), when(found));

  const step = program.lift(word(lanes));
  program.inLoop(get(counter), step, simd ? i32x4.add : i32.add, set(counter));
  program.inLoop(get(OFFSET), constant(lanes), i32.add, tee(OFFSET), get(TRIES), i32.lessUnsigned);
  return program.finish("scan", get(TRIES));
}

/** FIPS 180-4 §6.2.2 as far as the first word of the result. */
function firstHashWord(program: Program, nonceLow: Value): Value {
  const schedule = scheduleOf(program, nonceLow);
  const midstate = Array.from({ length: 8 }, (_, index): Value => inLocal("fixed", MIDSTATE + index));
  let [a, b, c, d, e, f, g, h] = midstate as [Value, Value, Value, Value, Value, Value, Value, Value];
  let bXorC = program.keep(program.xor(b, c));
  for (const [t, w] of schedule.entries()) {
    const big1 = program.xor(program.rotateRight(e, 6), program.rotateRight(e, 11), program.rotateRight(e, 25));
    const choice = program.xor(g, program.apply("and", program.xor(f, g), e));
    const t1 = program.keep(program.sum(h, big1, choice, word(ROUND_CONSTANTS[t] ?? 0), w));
    const big0 = program.xor(program.rotateRight(a, 2), program.rotateRight(a, 13), program.rotateRight(a, 22));
    // Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and a ^ b is the next round's b ^ c.
    const aXorB = program.keep(program.xor(a, b));
    const majority = program.xor(b, program.apply("and", aXorB, bXorC));
    const nextA = program.keep(program.sum(t1, big0, majority));
    // The last round's e belongs to a word that nobody asks for.
    const nextE = t === 63 ? word(0) : program.keep(program.sum(d, t1));
    [a, b, c, d, e, f, g, h] = [nextA, a, b, c, nextE, e, f, g];
    bXorC = aXorB;
  }
  return program.sum(a, inLocal("fixed", MIDSTATE));
}

function scheduleOf(program: Program, nonceLow: Value): Value[] {
  const zeros = new Array<Value>(12).fill(word(0));
  const w: Value[] = [inLocal("fixed", NONCE_HIGH), nonceLow, word(PADDING_WORD), ...zeros, word(INPUT_BITS)];
  const at = (index: number): Value => {
    const value = w[index];
    if (value === undefined) throw new Error(`no word ${index}`);
    return value;
  };
  for (let t = 16; t < 64; t += 1) {
    const far = at(t - 15);
    const near = at(t - 2);
    const small0 = smallSigma(program, far, 7, 18, 3);
    const small1 = smallSigma(program, near, 17, 19, 10);
    w.push(program.keep(program.sum(small1, at(t - 7), small0, at(t - 16))));
  }
  return w;
}

function smallSigma(program: Program, value: Value, first: number, second: number, shift: number): Value {
  return program.xor(
    program.rotateRight(value, first),
    program.rotateRight(value, second),
    program.apply("shiftRight", value, word(shift)),
  );
}

function inLocal(kind: "fixed" | "varying", local: number): Value {
  return { kind, isLocal: true, code: get(local) };
}

function word(value: number): Value {
  return { kind: "constant", word: value | 0, code: constant(value) };
}

function fold(operation: Operation, left: number, right: number): number {
  switch (operation) {
    case "add":
      return left + right;
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "shiftLeft":
      return left << right;
    case "shiftRight":
      return left >>> right;
    case "rotateRight":
      return (left >>> right) | (left << (32 - right));
  }
}

function mergeRuns(locals: readonly (readonly [number, number])[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const [count, type] of locals) {
    const last = runs[runs.length - 1];
    if (last?.[1] === type) last[0] += count;
    else runs.push([count, type]);
  }
  return runs;
}
