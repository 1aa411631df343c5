// A calculator that writes WebAssembly instead of giving results. It knows values of three kinds:
//
//   constant   known now:                            worked out here
//   fixed      the same for every nonce of a call:   worked out before the loop, once
//   varying    depends on the nonce's low word:      worked out in the loop, for four nonces at once with SIMD
import { type Code, constant, get, I32, i32, i32x4, loopWhile, moduleOf, set, V128 } from "./wasm-module.ts";

/** `code` leaves the value on the stack: four lanes if it varies and there is SIMD, else an i32. */
export type Value =
  | { readonly kind: "constant"; readonly word: number; readonly code: Code }
  | { readonly kind: "fixed" | "varying"; readonly code: Code; readonly isLocal: boolean };

type Operation = "add" | "and" | "or" | "xor" | "shiftLeft" | "shiftRight" | "rotateRight";

export class Program {
  readonly #parameters: number;
  readonly #simd: boolean;
  readonly #setup: number[] = [];
  readonly #loop: number[] = [];
  readonly #localTypes: number[] = [];
  readonly #lifted = new Map<string, Code>();

  /** @param parameters how many, each an i32: they are the first locals */
  constructor(parameters: number, simd: boolean) {
    this.#parameters = parameters;
    this.#simd = simd;
  }

  get laneType(): number {
    return this.#simd ? V128 : I32;
  }

  newLocal(type: number): number {
    return this.#parameters + this.#localTypes.push(type) - 1;
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
    return { kind: "varying", isLocal: false, code: this.#varying(operation, left, right) };
  }

  /** The sum: what does not vary first, then the others in their order. */
  sum(...values: Value[]): Value {
    const ofKind = (kind: Value["kind"]) => values.filter((value) => value.kind === kind);
    const add = (left: Value, right: Value): Value => {
      if (left.kind === "constant" && left.word === 0) return right;
      if (right.kind === "constant" && right.word === 0) return left;
      return this.apply("add", left, right);
    };
    const steady = [...ofKind("constant"), ...ofKind("fixed")].reduce(add, word(0));
    const [first, ...rest] = ofKind("varying");
    if (first === undefined) return steady;
    return rest.reduce(add, add(first, steady));
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

  #varying(operation: Operation, left: Value, right: Value): Code {
    if (!this.#simd) return [...this.lift(left), ...this.lift(right), ...i32[operation]];
    if (operation === "rotateRight") throw new Error("SIMD has no rotation");
    // A shift takes its count as an i32.
    const isShift = operation === "shiftLeft" || operation === "shiftRight";
    return [...this.lift(left), ...(isShift ? right.code : this.lift(right)), ...i32x4[operation]];
  }

  /** The module: what goes before the loop, the loop while its code leaves something else than zero, then `after`. */
  finish(name: string, after: Code): Uint8Array {
    const locals = this.#localTypes.map((type) => [1, type] as const);
    return moduleOf(name, {
      parameters: this.#parameters,
      locals: mergeRuns(locals),
      code: [...this.#setup, ...loopWhile(this.#loop), ...after],
    });
  }
}

export function inLocal(kind: "fixed" | "varying", local: number): Value {
  return { kind, isLocal: true, code: get(local) };
}

export function word(value: number): Value {
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
