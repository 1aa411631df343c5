// The input in hand, where another thread can read it:  0 count u32 | 4 size u32 | 8 bytes

const INPUT_MAX_BYTES = 65_536;

export function sharedInput() {
  return new SharedArrayBuffer(8 + INPUT_MAX_BYTES);
}

/** Where the runner notes each input before it runs. */
export function inputNotes(shared) {
  const head = new Uint32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared, 8);
  return (count, input) => {
    head[0] = count;
    head[1] = input.length;
    bytes.set(input);
  };
}

export function inputInHand(shared) {
  const [count, size] = new Uint32Array(shared, 0, 2);
  return { count, input: new Uint8Array(shared, 8, size).slice() };
}
