import type { Parameter } from "../growth.ts";

// What the comparisons are measured over.

export function sizeOver(label: string, values: readonly number[]): Parameter {
  return { label, unit: "B", isLog: true, values };
}

export function nodesOver(label: string, values: readonly number[]): Parameter {
  return { label, unit: "", isLog: true, values };
}

export const LOSS: Parameter = { label: "packets lost", unit: "%", isLog: false, values: [0, 2, 5, 10] };

/** What is said of it under a picture. */
export const LOST: string = "Of all packets on loopback, acknowledgements too, this part is dropped, by chance.";
