import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { bashScript, type CompletedCommand, fishScript, zshScript } from "./completion-scripts.ts";
import { addFlags, askDaemon, type Parent } from "./options.ts";
import { PROGRAM } from "./program.ts";

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export function addCompletion(program: Parent): void {
  const command = program
    .command("completion")
    .description("print a script that completes commands, options and ids of peers; your shell reads it at its start");
  addFlags(command, {
    examples: [
      [
        `completion bash > ~/.local/share/bash-completion/completions/${PROGRAM}`,
        "bash, with the package bash-completion",
      ],
      [`completion zsh > "\${fpath[1]}/_${PROGRAM}"`, "zsh, with compinit in ~/.zshrc"],
      [`completion fish > ~/.config/fish/completions/${PROGRAM}.fish`, "fish"],
    ],
    settings: "none",
  });
  command.addArgument(new Argument("<SHELL>", "which").choices(["bash", "zsh", "fish"] as const)).action((shell) => {
    process.stdout.write(SHELLS[shell](program.commands.map(describe).filter(({ name }) => name !== PEER_IDS)));
  });

  // What the scripts ask for ids. A person sees nothing of a daemon that does not run: there is just nothing to complete.
  const ids = program.command(PEER_IDS, { hidden: true });
  addFlags(ids, { examples: [[PEER_IDS, "ids of the peers, for completion"]] });
  ids.action(async () => {
    const peers = await askDaemon(ids, (client) => client.peers()).catch(() => []);
    process.stdout.write(peers.map(({ id }) => `${id}\n`).join(""));
  });
}

/** The scripts name it too. */
const PEER_IDS = "peer-ids";

function describe(command: CommandUnknownOpts): CompletedCommand {
  const options = command.options.filter(({ hidden }) => !hidden);
  return {
    name: command.name(),
    summary: (command.description().split(/[:;,]/)[0] ?? "").trim(),
    takesId: command.registeredArguments[0]?.name() === "ID",
    // The words that a first argument can be: the shells of `completion`, the commands below `config`.
    words: [...(command.registeredArguments[0]?.argChoices ?? []), ...command.commands.map((below) => below.name())],
    options: [
      ...options.map(({ long, short, description, required, argChoices, flags }) => ({
        names: [long ?? [], short ?? []].flat(),
        summary: (description.split(" (")[0] ?? "").trim(),
        takesValue: required,
        takesPath: /<PATH>/.test(flags),
        // A setting whose value is one of some words says so in its placeholder.
        words: argChoices ?? /<([a-z-]+(?:\|[a-z-]+)+)>/.exec(flags)?.[1]?.split("|") ?? [],
      })),
      { names: ["--help", "-h"], summary: "display help for command", takesValue: false, takesPath: false, words: [] },
    ],
  };
}
