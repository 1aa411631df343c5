import type { NodeId, OpenBoxInput, OpenedBox, SealBoxInput } from "@starling/crypto-identity";
import { Fold, TAG_BYTES } from "./fold.ts";

// Takes the place of sealed-box.ts of crypto-identity in a process that runs with stand-ins (see replace-modules.ts). A box of the
// same size, in the clear, that does not open for another recipient or prologue, nor when a byte of it was changed:
//
//   0 e 32 | 32 sender, as 32 bytes of hex pairs | 64 zeros 16 | 80 plaintext n | 80+n tag 16

const KEY_BYTES = 32;
const SENDER_AT = KEY_BYTES;
const PLAINTEXT_AT = 80;

export const SEALED_BOX_OVERHEAD_BYTES: number = PLAINTEXT_AT + TAG_BYTES;

const encoder = new TextEncoder();

function keyed(recipient: string, prologue: Uint8Array, box: Uint8Array, tagAt: number): Fold {
  return new Fold().add(encoder.encode(recipient)).add(prologue).add(box.subarray(0, tagAt));
}

export function createSealedBoxes(): {
  sealBox(input: SealBoxInput): Uint8Array;
  openBox(input: OpenBoxInput): OpenedBox | undefined;
} {
  return {
    sealBox({ identity, recipient, prologue, plaintext, random }) {
      const box = new Uint8Array(SEALED_BOX_OVERHEAD_BYTES + plaintext.length);
      box.set(random(KEY_BYTES));
      box.set(Buffer.from(identity.id, "hex"), SENDER_AT);
      box.set(plaintext, PLAINTEXT_AT);
      const tagAt = box.length - TAG_BYTES;
      keyed(recipient, prologue, box, tagAt).write(box, tagAt, TAG_BYTES);
      return box;
    },
    openBox({ identity, prologue, box }) {
      if (box.length < SEALED_BOX_OVERHEAD_BYTES) return undefined;
      const tagAt = box.length - TAG_BYTES;
      if (!keyed(identity.id, prologue, box, tagAt).matches(box, tagAt)) return undefined;
      const sender = Buffer.from(box.subarray(SENDER_AT, SENDER_AT + KEY_BYTES)).toString("hex") as NodeId;
      return { sender, plaintext: box.slice(PLAINTEXT_AT, tagAt) };
    },
  };
}
