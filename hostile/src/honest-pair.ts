import type { ChildProcess } from "node:child_process";
import { connect, type LocalClient, type LocalEvent } from "@starling/local-client";
import type { Daemon } from "./daemon.ts";
import { hear, startChild } from "./tools/child.ts";
import type { Spoken } from "./tools/talker.ts";

// Two nodes that go on talking over the target while it is attacked: who suffers, if anybody does.

export type Talk = Spoken & {
  /** Handed to the recipient's program more than once. */
  readonly doubled: number;
};

export class HonestPair {
  /** At the node where the messages arrive. */
  readonly recipient: LocalClient;
  readonly #talker: ChildProcess;
  readonly #from: string;
  /** Message ids of the sender that were handed out, and how often. BOUNDED: by what this run sends. */
  readonly #handedOut: Map<string, number> = new Map();
  /** By author: messages of those who are not of the pair. */
  readonly #strangers: Map<string, number> = new Map();

  private constructor(recipient: LocalClient, talker: ChildProcess, from: string) {
    this.recipient = recipient;
    this.#talker = talker;
    this.#from = from;
  }

  static async begin(sender: Daemon, node: Daemon): Promise<HonestPair> {
    const recipient = await connect(node.socket);
    const events = await recipient.subscribe({ events: ["message"] });
    const talker = startChild("./talker.ts", sender.socket, node.id);
    // An end of it shows where its answer is awaited.
    talker.on("error", () => undefined);
    await hear(talker);
    const pair = new HonestPair(recipient, talker, sender.id);
    void pair.#listen(events);
    return pair;
  }

  /** How many messages of this author came to the recipient's program. */
  receivedFrom(id: string): number {
    return this.#strangers.get(id) ?? 0;
  }

  /** Talks until `until` settles, and then until all has been answered. */
  async talk(until: Promise<unknown>): Promise<Talk> {
    const before = this.#doubled();
    this.#talker.send("talk");
    await until.catch(() => undefined);
    const spoken = hear<Spoken>(this.#talker);
    this.#talker.send("stop");
    return { ...(await spoken), doubled: this.#doubled() - before };
  }

  close(): void {
    // A signal to the whole group may have ended it already.
    if (this.#talker.connected) this.#talker.disconnect();
    this.recipient.close();
  }

  async #listen(events: AsyncIterable<LocalEvent>): Promise<void> {
    for await (const event of events) {
      if (event.type !== "message") continue;
      const counts = event.from === this.#from ? this.#handedOut : this.#strangers;
      const key = event.from === this.#from ? event.messageId : event.from;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }

  #doubled(): number {
    let doubled = 0;
    for (const times of this.#handedOut.values()) doubled += times - 1;
    return doubled;
  }
}
