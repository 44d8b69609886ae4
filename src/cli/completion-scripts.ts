import type { CommandShape, OptionShape, Values } from "./completion-model.ts";

/** Shells that completion is written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** The completion script of each shell. */
export const SCRIPTS: Readonly<Record<Shell, (shapes: readonly CommandShape[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Every step down the tree, as `PATH|WORD`. */
const steps = (shapes: readonly CommandShape[]): readonly (readonly [at: string, word: string, next: string])[] =>
  shapes.flatMap(({ path, commands }) =>
    commands.map(({ name }) => [path, name, path === "" ? name : `${path} ${name}`] as const),
  );

/** The lines of a shell's `case` that walks down the tree. */
const walk = (shapes: readonly CommandShape[], indent: string): string =>
  steps(shapes)
    .map(([at, word, next]) => `${indent}"${at}|${word}") at="${next}" ;;`)
    .join("\n");

const withValues = ({ options }: CommandShape): readonly (OptionShape & { readonly values: Values })[] =>
  options.flatMap((option) => (option.values ? [{ ...option, values: option.values }] : []));

/** The lines of a `case` over `PATH|OPTION`, for options that take a value. */
const optionCases = (shapes: readonly CommandShape[], indent: string, reply: (values: Values) => string): string =>
  shapes
    .flatMap((shape) =>
      withValues(shape).map(({ names, values }) => {
        const patterns = names.map((name) => `"${shape.path}|${name}"`).join(" | ");
        return `${indent}${patterns}) ${reply(values)}; return ;;`;
      }),
    )
    .join("\n");

const optionNames = ({ options }: CommandShape): string => options.flatMap(({ names }) => names).join(" ");

function bashScript(shapes: readonly CommandShape[]): string {
  const reply = (values: Values | undefined): string => {
    if (values?.kind === "words") return `COMPREPLY=($(compgen -W "${values.words.join(" ")}" -- "$cur"))`;
    return values?.kind === "files"
      ? 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$cur"))'
      : "COMPREPLY=()";
  };
  const places = shapes.map((shape) => {
    const names = shape.commands.map(({ name }) => name);
    const values: Values | undefined = names.length > 0 ? { kind: "words", words: names } : shape.values;
    return `    "${shape.path}") options="${optionNames(shape)}"; [[ $cur == -* ]] || { ${reply(values)}; return; } ;;`;
  });
  return `# bash completion for signet; load it with: source <(signet completion bash)
_signet() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" options="" i
  # bash takes --output=json for three words
  [[ $cur == "=" ]] && cur=""
  [[ $prev == "=" ]] && prev="\${COMP_WORDS[COMP_CWORD-2]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at|\${COMP_WORDS[i]}" in
${walk(shapes, "      ")}
    esac
  done
  case "$at|$prev" in
${optionCases(shapes, "    ", reply)}
  esac
  case "$at" in
${places.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -F _signet signet
`;
}

function zshScript(shapes: readonly CommandShape[]): string {
  const reply = (values: Values | undefined): string => {
    if (values?.kind === "words") return `compadd -- ${values.words.join(" ")}`;
    return values?.kind === "files" ? "_files" : ":";
  };
  const places = shapes.map((shape) => {
    const described = shape.commands.map(({ name, summary }) => quote(`${name}:${summary}`));
    const words =
      described.length > 0 ? `choices=(${described.join(" ")}); _describe command choices` : reply(shape.values);
    return `    "${shape.path}") if [[ $words[CURRENT] == -* ]]; then compadd -- ${optionNames(shape)}; else ${words}; fi ;;`;
  });
  return `#compdef signet
# zsh completion for signet; load it with: source <(signet completion zsh)
_signet() {
  local at="" word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at|$word" in
${walk(shapes, "      ")}
    esac
  done
  case "$at|$words[CURRENT-1]" in
${optionCases(shapes, "    ", reply)}
  esac
  case "$at" in
${places.join("\n")}
  esac
}
(( $+functions[compdef] )) && compdef _signet signet
`;
}

function fishScript(shapes: readonly CommandShape[]): string {
  const cases = steps(shapes).map(
    ([at, word, next]) => `      case ${quote(`${at}|${word}`)}\n        set at ${quote(next)}`,
  );
  const lines = shapes.flatMap((shape) => {
    const here = `complete -c signet -n ${quote(`__signet_at ${quote(shape.path, '"')}`)}`;
    return [
      ...shape.commands.map(({ name, summary }) => `${here} -a ${name} -d ${quote(summary)}`),
      ...(shape.values ? [`${here} ${fishValues(shape.values)}`] : []),
      ...shape.options.map(
        ({ names, description, values }) =>
          `${here} ${names.map(fishName).join(" ")} -d ${quote(description)}${values ? ` -r ${fishValues(values)}` : ""}`,
      ),
    ];
  });
  return `# fish completion for signet; load it with: signet completion fish | source
function __signet_at
  set -l at ""
  for word in (commandline -opc)[2..-1]
    switch "$at|$word"
${cases.join("\n")}
    end
  end
  test "$at" = "$argv[1]"
end
complete -c signet -f
${lines.join("\n")}
`;
}

const fishName = (name: string): string => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`);

const fishValues = (values: Values): string =>
  values.kind === "words" ? `-f -a ${quote(values.words.join(" "))}` : values.kind === "files" ? "-F" : "-f";

/** A text in quotes for a shell; our texts have no dollar signs or backslashes. */
const quote = (text: string, mark = "'"): string => `${mark}${text.replaceAll(mark, mark === "'" ? "’" : "”")}${mark}`;
