import type { Command } from "commander";
import { ALL_CODES } from "./help.ts";

/** What may stand at a place of the command line. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "any" };

/** An option, under all its names; `values` is absent where it takes none. */
export type OptionShape = { readonly names: readonly string[]; readonly description: string; readonly values?: Values };

/** One command as a shell needs to know it; `path` is its words, empty for the program itself. */
export type CommandShape = {
  readonly path: string;
  readonly summary: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionShape[];
  readonly values?: Values;
};

/** The whole tree of commands, the program first. */
export function commandShapes(command: Command, path: readonly string[] = []): readonly CommandShape[] {
  const values = argumentValues(command);
  const shape: CommandShape = {
    path: path.join(" "),
    summary: summaryOf(command),
    commands: command.commands.map((each) => ({ name: each.name(), summary: summaryOf(each) })),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionShape), HELP],
    ...(values === undefined ? {} : { values }),
  };
  return [shape, ...command.commands.flatMap((each) => commandShapes(each, [...path, each.name()]))];
}

const HELP: OptionShape = { names: ["-h", "--help"], description: "show help" };

const summaryOf = (command: Command): string => command.summary() || command.description();

/** Words in angle brackets that stand for files or folders. */
const FILES = /^(path|dir|file|folder)$/;

function optionShape(option: Command["options"][number]): OptionShape {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const shape = { names, description: option.description };
  const value = /[<[]([a-z-]+)[^>\]]*[>\]]/.exec(option.flags)?.[1];
  if (value === undefined) return shape;
  return { ...shape, values: valuesOf(value, option.argChoices) };
}

function argumentValues(command: Command): Values | undefined {
  const [argument] = command.registeredArguments;
  if (!argument) return undefined;
  if (argument.name() === "topic")
    return {
      kind: "words",
      words: [...(command.parent?.commands ?? []).map((each) => each.name()), "codes", ...ALL_CODES],
    };
  return valuesOf(argument.name(), argument.argChoices);
}

const valuesOf = (name: string, choices: readonly string[] | undefined): Values =>
  choices !== undefined ? { kind: "words", words: choices } : FILES.test(name) ? { kind: "files" } : { kind: "any" };
