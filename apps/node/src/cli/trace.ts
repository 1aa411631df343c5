import { CommandError, EXIT } from "@starling/daemon";
import type { TraceStep } from "@starling/local-client";
import { parseRecipient } from "./arguments.ts";
import { addFlags, type Parent, wantsJson, withClient } from "./options.ts";
import { paint, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { countOf, table, visible } from "./text.ts";

export function addTrace(program: Parent): void {
  const command = program
    .command("trace")
    .description("which way a message would take, question by question, and the first step that fails");
  addFlags(command, {
    examples: [
      ["trace ID", "exits 0 where there is a way, 5 where there is none"],
      ["trace ID --json | jq -r .verdict", "what is wrong, in one line"],
    ],
  });
  command.argument("<ID>", "the recipient: 64 hexadecimal digits").action(async (id) => {
    const to = parseRecipient(id);
    const steps = await withClient(command, (client) =>
      withProgress(client.trace(to), () => "asking node after node for the recipient"),
    );
    const { isFound, verdict, advice } = judge(steps);
    if (wantsJson(command)) {
      printJson({ steps, found: isFound, verdict, advice: advice ?? null });
    } else {
      const rows = steps.map(({ node, asked, answer, ms }) => [node, asked, visible(answer), `${ms} ms`]);
      process.stdout.write(table(["NODE", "ASKED FOR", "ANSWER", "TOOK"], rows));
      process.stdout.write(`\n${paint(isFound ? "green" : "red", verdict)}\n`);
    }
    if (!isFound) throw new CommandError("E_NO_ROUTE", `no way to the recipient; ${advice}`, EXIT.undelivered);
  });
}

type Verdict = { readonly isFound: boolean; readonly verdict: string; readonly advice?: string };

/** What the steps come to. Answers of other nodes are hearsay. */
function judge(steps: readonly TraceStep[]): Verdict {
  const [own] = steps;
  if (own?.asked === "own link" && own.answer !== "none") {
    return { isFound: true, verdict: `a message goes over our own ${visible(own.answer)}` };
  }
  const asked = steps.filter((step) => step.asked === "link to the recipient");
  const found = asked.findIndex(({ answer }) => answer === "yes");
  if (found >= 0) {
    const node = asked[found]?.node ?? "";
    return { isFound: true, verdict: `a message is relayed: ${node} has a link to the recipient` };
  }
  if (asked.length === 0) {
    const verdict = "this node has no neighbour that carries messages";
    return { isFound: false, verdict, advice: "run 'starling doctor'; it says why" };
  }
  if (asked.every(({ answer }) => answer === "no answer")) {
    const verdict = `none of ${countOf(asked.length, "node")} asked on the way has answered`;
    return { isFound: false, verdict, advice: "this node's own links may be down: run 'starling doctor'" };
  }
  const verdict = `none of ${countOf(asked.length, "node")} asked on the way has a link to the recipient`;
  const advice =
    "check that its node runs ('starling status' there), is on the same --network, and that the id is right ('starling id' there)";
  return { isFound: false, verdict, advice };
}
