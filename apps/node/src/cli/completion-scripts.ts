import { PROGRAM } from "./program.ts";

// The scripts that shells read. They are made from the command tree, so that they know what it knows. Words and summaries are ours,
// without quotes of the kind that the scripts use around them: `quoted` sees to it.

export type CompletedOption = {
  readonly names: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly takesPath: boolean;
  readonly words: readonly string[];
};

export type CompletedCommand = {
  readonly name: string;
  readonly summary: string;
  /** Its first argument is a node id. */
  readonly takesId: boolean;
  /** What its first argument can be. */
  readonly words: readonly string[];
  readonly options: readonly CompletedOption[];
};

export function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, takesId, words, options }) => {
    const flags = options.flatMap(({ names }) => names.filter((each) => each.startsWith("--"))).join(" ");
    return `    ${name}) flags="${flags}"; words="${words.join(" ")}"; ids=${takesId ? 1 : 0} ;;`;
  });
  const all = commands.flatMap(({ options }) => options);
  const names = (wanted: (option: CompletedOption) => boolean): string =>
    [...new Set(all.filter(wanted).flatMap((option) => option.names))].join("|") || "-";
  const choices = all.filter(({ words }) => words.length > 0);
  const choiceCases = [...new Map(choices.map((option) => [option.names.join("|"), option.words]))].map(
    ([option, words]) => `    ${option}) COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur")); return ;;`,
  );
  return `# bash completion of ${PROGRAM}
_${PROGRAM}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" flags="" words="" ids=0
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} --help --version" -- "$cur"))
    return
  fi
  case "$prev" in
${[...choiceCases, ""].join("\n")}    ${names(({ takesPath }) => takesPath)}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${names(({ takesValue, takesPath, words }) => takesValue && !takesPath && words.length === 0)}) return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  if [ "\${cur:0:1}" = "-" ]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [ "$COMP_CWORD" -eq 2 ] && [ "$ids" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" peer-ids 2>/dev/null)" -- "$cur"))
  elif [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _${PROGRAM} ${PROGRAM}
`;
}

export function zshScript(commands: readonly CompletedCommand[]): string {
  const list = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`);
  const cases = commands.map(({ name, takesId, words, options }) => {
    const specs = options.flatMap((option) => option.names.map((each) => zshOption(each, option)));
    if (takesId) specs.push(quoted("1:node id:_starling_ids"));
    else if (words.length > 0) specs.push(quoted(`1:word:(${words.join(" ")})`));
    return `    ${name}) _arguments ${specs.join(" ")} ;;`;
  });
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}
_starling_ids() {
  local -a ids
  ids=(\${(f)"$(${PROGRAM} peer-ids 2>/dev/null)"})
  compadd -a ids
}
_${PROGRAM}() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_${PROGRAM}" ]; then _${PROGRAM} "$@"; else compdef _${PROGRAM} ${PROGRAM}; fi
`;
}

function zshOption(name: string, { summary, takesValue, takesPath, words }: CompletedOption): string {
  const about = summary.replaceAll(/[[\]:]/g, "\\$&");
  const values = words.length > 0 ? `(${words.join(" ")})` : takesPath ? "_files" : " ";
  return quoted(`*${name}[${about}]${takesValue ? `:value:${values}` : ""}`);
}

export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, takesId, words, options }) => {
    const within = `complete -c ${PROGRAM} -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...options.map((option) => `${within}${fishOption(option)}`),
      ...(takesId ? [`${within} -a '(${PROGRAM} peer-ids 2>/dev/null)'`] : []),
      ...(words.length > 0 ? [`${within} -a '${words.join(" ")}'`] : []),
    ];
  });
  return `# fish completion of ${PROGRAM}\ncomplete -c ${PROGRAM} -f\n${lines.join("\n")}\n`;
}

function fishOption({ names, summary, takesValue, takesPath, words }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith("--") ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join("");
  // Without -x a value may be any file, whatever words there are for it.
  const value = takesValue ? (takesPath ? " -r" : " -x") : "";
  const values = words.length > 0 ? ` -a '${words.join(" ")}'` : takesPath ? " -F" : "";
  return `${flags}${value}${values} -d ${quoted(summary)}`;
}

/** In single quotes, as every shell here reads them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
