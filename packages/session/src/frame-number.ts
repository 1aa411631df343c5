const WIRE_RANGE = 2 ** 32;

/** Frame numbers count on without wrapping inside a link; the wire carries their low 32 bits. */
export function toWireNumber(number: number): number {
  return number % WIRE_RANGE;
}

/** The number nearest to `near` whose low 32 bits these are; below 0 for one that no honest peer sends. */
export function fromWireNumber(wireNumber: number, near: number): number {
  return near + ((wireNumber - near) | 0);
}
