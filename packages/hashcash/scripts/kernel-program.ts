// Writes the mint kernel: SHA-256 of a stamp's second block for many nonces, unrolled. Of that block's words only one varies
// within a call: nonce high, nonce low (which counts), 0x80000000, zeros, the length. So the program is not written down but
// calculated: much of the first rounds is worked out before the loop, or here.
import { ROUND_CONSTANTS } from "../src/sha256.ts";
import { INPUT_BITS, PADDING_WORD } from "../src/stamp-input.ts";
import { inLocal, Program, type Value, word } from "./values.ts";
import { constant, get, I32, i32, i32x4, RETURN, set, tee, when } from "./wasm-module.ts";

// The parameters, in order; see `Kernel` in src/kernel.ts.
const MIDSTATE = 0;
const NONCE_HIGH = 8;
const NONCE_LOW = 9;
const TARGET = 10;
const TRIES = 11;
const PARAMETERS = 12;

/** @param simd four nonces at once, in modules that need SIMD; else one */
export function buildKernel(simd: boolean): Uint8Array {
  const program = new Program(PARAMETERS, simd);
  const lanes = simd ? 4 : 1;
  const offset = program.newLocal(I32);
  const hits = program.newLocal(I32);
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
  const compare = simd ? [...i32x4.lessOrEqualUnsigned, ...i32x4.bitmask] : i32.lessOrEqualUnsigned;
  // A hit: the lowest lane that has one. The host throws away what lies beyond `tries`.
  const found = [...get(offset), ...get(hits), ...i32.trailingZeros, ...i32.add, ...RETURN];
  program.inLoop(first.code, target, compare, tee(hits), when(found));

  const step = program.lift(word(lanes));
  program.inLoop(get(counter), step, simd ? i32x4.add : i32.add, set(counter));
  program.inLoop(get(offset), constant(lanes), i32.add, tee(offset), get(TRIES), i32.lessUnsigned);
  return program.finish("scan", get(TRIES));
}

/** FIPS 180-4 §6.2.2 as far as the first word of the result. */
function firstHashWord(program: Program, nonceLow: Value): Value {
  const zeros = new Array<Value>(12).fill(word(0));
  const w: Value[] = [inLocal("fixed", NONCE_HIGH), nonceLow, word(PADDING_WORD), ...zeros, word(INPUT_BITS)];
  const midstate = Array.from({ length: 8 }, (_, index): Value => inLocal("fixed", MIDSTATE + index));
  let [a, b, c, d, e, f, g, h] = midstate as [Value, Value, Value, Value, Value, Value, Value, Value];
  let bXorC = program.keep(program.xor(b, c));
  for (let t = 0; t < 64; t += 1) {
    // Each word of the schedule just before its round: all of them first would overflow the registers. And in each sum what is
    // known last comes last, so that little waits for it. The two together are worth half as much speed again.
    if (t >= 16) w.push(scheduled(program, w, t));
    const big1 = program.xor(program.rotateRight(e, 6), program.rotateRight(e, 11), program.rotateRight(e, 25));
    const choice = program.xor(g, program.apply("and", program.xor(f, g), e));
    const t1 = program.keep(program.sum(h, at(w, t), word(ROUND_CONSTANTS[t] ?? 0), choice, big1));
    const big0 = program.xor(program.rotateRight(a, 2), program.rotateRight(a, 13), program.rotateRight(a, 22));
    // Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), and a ^ b is the next round's b ^ c.
    const aXorB = program.keep(program.xor(a, b));
    const majority = program.xor(b, program.apply("and", aXorB, bXorC));
    const nextA = program.keep(program.sum(majority, big0, t1));
    // The last round's e belongs to a word that nobody asks for.
    const nextE = t === 63 ? word(0) : program.keep(program.sum(d, t1));
    [a, b, c, d, e, f, g, h] = [nextA, a, b, c, nextE, e, f, g];
    bXorC = aXorB;
  }
  return program.sum(a, inLocal("fixed", MIDSTATE));
}

function at(w: readonly Value[], index: number): Value {
  const value = w[index];
  if (value === undefined) throw new Error(`no word ${index}`);
  return value;
}

function scheduled(program: Program, w: readonly Value[], t: number): Value {
  const small0 = smallSigma(program, at(w, t - 15), 7, 18, 3);
  const small1 = smallSigma(program, at(w, t - 2), 17, 19, 10);
  return program.keep(program.sum(at(w, t - 16), small0, at(w, t - 7), small1));
}

function smallSigma(program: Program, value: Value, first: number, second: number, shift: number): Value {
  return program.xor(
    program.rotateRight(value, first),
    program.rotateRight(value, second),
    program.apply("shiftRight", value, word(shift)),
  );
}
