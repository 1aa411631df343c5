// What may be in flight on a link at once (PROTOCOL §5.1): 256 frames, 256 KiB, and no number further ahead
// of the lowest unacknowledged one than an Ack can name. Large frames (in fragments) and small ones each leave the other
// room for one large frame, so neither kind starves the other.
import { FRAGMENTS_MAX, FRAME_MAX_BYTES } from "@starling/wire-protocol";
import { LINK_REASSEMBLIES, WINDOW_BYTES, WINDOW_FRAMES, WINDOW_SPAN } from "./limits.ts";
import type { Outgoing } from "./outgoing.ts";

const SHARED_FRAMES = WINDOW_FRAMES - FRAGMENTS_MAX;
const SHARED_BYTES = WINDOW_BYTES - FRAME_MAX_BYTES;

/** What is in flight, counted in numbered frames and in their bytes. */
export type WindowUse = {
  readonly smallCount: number;
  readonly smallBytes: number;
  readonly fragmentCount: number;
  readonly fragmentBytes: number;
  /** Large frames that are not wholly acknowledged. */
  readonly largeCount: number;
  /** Next number minus the lowest unacknowledged one. */
  readonly span: number;
};

export function admitsLarge(use: WindowUse, outgoing: Outgoing): boolean {
  const { pieceCount, sizeBytes } = outgoing;
  return (
    use.largeCount < LINK_REASSEMBLIES &&
    use.fragmentCount + pieceCount <= SHARED_FRAMES &&
    use.fragmentBytes + sizeBytes <= SHARED_BYTES &&
    use.smallCount + use.fragmentCount + pieceCount <= WINDOW_FRAMES &&
    use.smallBytes + use.fragmentBytes + sizeBytes <= WINDOW_BYTES &&
    use.span + pieceCount <= WINDOW_SPAN
  );
}

export function admitsSmall(use: WindowUse, outgoing: Outgoing, hasLarge: boolean): boolean {
  const { sizeBytes } = outgoing;
  if (hasLarge && (use.smallCount >= SHARED_FRAMES || use.smallBytes + sizeBytes > SHARED_BYTES)) return false;
  return (
    use.smallCount + use.fragmentCount < WINDOW_FRAMES &&
    use.smallBytes + use.fragmentBytes + sizeBytes <= WINDOW_BYTES &&
    use.span < WINDOW_SPAN - (hasLarge ? FRAGMENTS_MAX : 0)
  );
}
