// Just enough of the WebAssembly binary format (core specification §5) for a module of one function without memory.

export type Code = readonly number[];

export const I32 = 0x7f;
export const V128 = 0x7b;

/** Unsigned LEB128 (§5.2.2). */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** Signed LEB128 of a 32-bit word (§5.2.2). */
function signed(word: number): Code {
  const bytes: number[] = [];
  let rest = word | 0;
  while (rest < -0x40 || rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest & 0x7f];
}

export const constant = (word: number): Code => [0x41, ...signed(word)];
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const tee = (local: number): Code => [0x22, ...unsigned(local)];
/** An instruction with the vector prefix (§5.4.8). */
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];

/** Repeats while `body` leaves something else than zero. */
export const loopWhile = (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0x00, 0x0b];
/** Runs `body` if what is on the stack is not zero. */
export const when = (body: Code): Code => [0x04, 0x40, ...body, 0x0b];
export const RETURN: Code = [0x0f];

export const i32 = {
  add: [0x6a],
  and: [0x71],
  or: [0x72],
  xor: [0x73],
  shiftLeft: [0x74],
  shiftRight: [0x76],
  rotateRight: [0x78],
  trailingZeros: [0x68],
  lessUnsigned: [0x49],
  lessOrEqualUnsigned: [0x4d],
} as const satisfies Record<string, Code>;

export const i32x4 = {
  splat: vector(0x11),
  replaceLane: (lane: number): Code => [...vector(0x1c), lane],
  lessOrEqualUnsigned: vector(0x3e),
  and: vector(0x4e),
  or: vector(0x50),
  xor: vector(0x51),
  bitmask: vector(0xa4),
  shiftLeft: vector(0xab),
  shiftRight: vector(0xad),
  add: vector(0xae),
};

export interface FunctionBody {
  /** All of type i32. */
  readonly parameters: number;
  /** Runs of locals, after the parameters. */
  readonly locals: readonly (readonly [count: number, type: number])[];
  /** Leaves one i32. */
  readonly code: Code;
}

/** A module that exports the function as `name`. */
export function moduleOf(name: string, { parameters, locals, code }: FunctionBody): Uint8Array {
  const nameBytes = [...name].map((letter) => letter.charCodeAt(0));
  const groups = locals.map(([count, type]) => [...unsigned(count), type]);
  const body = [...list(groups), ...code, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([[0x60, ...list(new Array<Code>(parameters).fill([I32])), ...list([[I32]])]])),
    ...section(3, list([[0x00]])),
    ...section(7, list([[...unsigned(nameBytes.length), ...nameBytes, 0x00, 0x00]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}

const list = (entries: readonly Code[]): Code => [...unsigned(entries.length), ...entries.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
