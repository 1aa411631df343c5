/** What went over a link since it opened. Bytes are those of whole datagrams, without the headers of ip and UDP. */
export type Traffic = {
  sentDatagrams: number;
  sentBytes: number;
  receivedDatagrams: number;
  receivedBytes: number;
  /** Reliable frames (of a frame in fragments each fragment), and how many of these sends were repeats. */
  sentFrames: number;
  resentFrames: number;
};

export function newTraffic(): Traffic {
  return { sentDatagrams: 0, sentBytes: 0, receivedDatagrams: 0, receivedBytes: 0, sentFrames: 0, resentFrames: 0 };
}
