import { ask, startChild } from "../child.ts";
import type { Figure } from "../figure.ts";

// What a relay keeps of what it has forwarded: its heap after forced collections, at a fifth of the messages and at all of them.

const HEAP_MESSAGES = 10_000_000;
const LOOKS = 50;

type Look = { readonly acknowledged: number; readonly heapBytes: number; readonly handles: number };

export async function relayHeap(
  progress: (done: number, of: number) => void,
  { messages = HEAP_MESSAGES }: { readonly messages?: number },
): Promise<Figure[]> {
  const child = startChild("./relay/heap-child.ts");
  const looks: Look[] = [];
  try {
    await ask(child);
    for (let done = 1; done <= LOOKS; done += 1) {
      const target = Math.round((messages * done) / LOOKS);
      const look = await ask<Look>(child, { target });
      if (look.acknowledged < target) throw new Error(`only ${look.acknowledged} of ${target} were acknowledged`);
      looks.push(look);
      progress(done, LOOKS);
    }
  } finally {
    child.disconnect();
  }
  const early = looks[LOOKS / 5 - 1] as Look;
  const late = looks.at(-1) as Look;
  const count = (share: number): string => (messages * share).toLocaleString("en-US");
  return [
    {
      name: `core of a relay: heap at ${count(1)} messages forwarded, over that at ${count(1 / 5)}`,
      unit: "MB",
      samples: [(late.heapBytes - early.heapBytes) / 1e6],
      target: { atMost: 2 },
      ours: megabytes(late),
      peer: megabytes(early),
    },
    {
      name: "the same, largest between the two",
      unit: "MB",
      samples: [Math.max(...looks.slice(LOOKS / 5).map(({ heapBytes }) => heapBytes - early.heapBytes)) / 1e6],
    },
    { name: "handles more", unit: "", samples: [late.handles - early.handles], target: { atMost: 0 } },
  ];
}

function megabytes({ heapBytes }: Look): string {
  return `${(heapBytes / 1e6).toFixed(1)} MB`;
}
