import { hear, startChild } from "./child.ts";
import type { Order } from "./flooder.ts";

/** Runs a flood in a process of its own; resolves, when all is prepared, with what resolves at its end with how many left. */
export async function startFlood(order: Order): Promise<{ readonly ended: Promise<number> }> {
  const child = startChild("./flooder.ts");
  child.send(order);
  await hear<string>(child);
  return { ended: hear<{ readonly sent: number }>(child).then(({ sent }) => sent) };
}
