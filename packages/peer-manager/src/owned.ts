/**
 * What is decoded is a view into bytes of a datagram, to which nobody writes; it is copied only out of what is much larger. So what
 * keeps it holds twice as many bytes as it counts at most.
 */
export function owned(view: Uint8Array): Uint8Array {
  return 2 * view.length >= view.buffer.byteLength ? view : view.slice();
}
