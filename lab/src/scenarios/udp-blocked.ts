// A network that lets no UDP out. There is nothing that a node can do in it as yet, so it has to say so, at once and clearly, and go
// on by itself as soon as it can.
import { fileURLToPath } from "node:url";
import { LocalClientError } from "@starling/local-client";
import { until } from "../deadline.ts";
import { linked, type Node, startNode, withNodes } from "../nodes.ts";
import { startRelay } from "../targets.ts";
import type { Scenario } from "../trial.ts";

const TIMEOUT_MS = 5_000;
const LATE_MS = 10_000;
const STARLING: string = fileURLToPath(new URL("../../../apps/node/src/main.ts", import.meta.url));

async function codeOf(happening: Promise<unknown>): Promise<string> {
  try {
    await happening;
    return "delivered";
  } catch (error) {
    return error instanceof LocalClientError ? error.code : String(error);
  }
}

/** What `starling` prints to its user, whatever its exit code. */
async function starling(node: Node, args: readonly string[]): Promise<string> {
  const program = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", STARLING];
  try {
    return await node.host.run(process.execPath, [...program, ...args, "--socket", node.daemon.socket]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const udpBlocked: Scenario = {
  name: "udp-blocked",
  shows:
    "where no UDP gets out, a message fails as E_NO_ROUTE in its time, and starling says why; once it does, it goes on",
  deadlineS: 240,
  async run(trial) {
    const lab = await trial.lab();
    const relay = await startRelay(await lab.host("relay"));
    const site = await lab.site("blocking", "udpblock", ["a"]);
    const far = await lab.site("router", "port", ["b"]);
    await withNodes([far.host("b")], [relay], async ([b]) => {
      if (b === undefined) throw new Error("a node is needed");
      const a = await startNode(site.host("a"), [relay]);
      try {
        const content = new TextEncoder().encode("through the wall");
        for (const [way, from, to] of [
          ["outwards", a, b],
          ["inwards", b, a],
        ] as const) {
          const startedMs = performance.now();
          const code = await codeOf(from.client.submit({ to: to.id, content, timeoutMs: TIMEOUT_MS }));
          trial.check(`a message ${way} fails as E_NO_ROUTE`, code === "E_NO_ROUTE", code);
          const tookMs = performance.now() - startedMs;
          trial.measure(`it is told within its time of ${TIMEOUT_MS / 1_000} s`, tookMs, {
            atMost: TIMEOUT_MS + LATE_MS,
            unit: "ms",
          });
        }
        const code = await codeOf(a.client.connectPeer(b.id));
        trial.check("a channel fails as E_NO_CHANNEL or E_NO_ROUTE", /^E_NO_(CHANNEL|ROUTE)$/.test(code), code);
        const told = await starling(a, ["send", b.id, "hello", "--timeout", "3s"]);
        trial.check(
          "starling send says that there is no way",
          /no way to the recipient is known/.test(told),
          told.trim().slice(-300),
        );
        const unanswered = a.daemon.process.lines.some(({ msg }) => /no answer/.test(String(msg)));
        trial.check("the log says that the relay does not answer", unanswered);
        await site.setNat("port");
        await linked(a, [relay.id]);
        const sent = await until(
          60_000,
          "a message once UDP gets out",
          () => codeOf(a.client.submit({ to: b.id, content, timeoutMs: TIMEOUT_MS })),
          (result) => result === "delivered",
        );
        trial.check("once UDP gets out it goes on by itself", sent === "delivered");
      } finally {
        a.client.close();
      }
    });
  },
};
