import { COMMANDS } from "../../src/bin/commands.ts";
import type { ExitCode, Io } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok, refuse } from "../../src/domain/problem.ts";

/** A folder of texts in memory: path → text. */
export type Files = Readonly<Record<string, string>>;

/** What a command printed, and its exit code. */
export type Ran = { readonly code: ExitCode; readonly out: string; readonly err: string };

type World = { readonly now?: string; readonly env?: Io["env"]; readonly color?: boolean };

/** The moment at which commands run unless a test says another. */
export const NOON = "2026-11-23T12:00:00Z";

/** An Io over files in memory, and what was printed through it. */
export function fakeIo(files: Files, { now = NOON, env = {}, color = false }: World = {}) {
  const printed = { out: "", err: "" };
  const written: Record<string, string> = {};
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    color,
    now: () => Date.parse(now),
    env,
    readInputs: (paths) => {
      const missing = paths.find((path) => namesAt(files, path).length === 0);
      if (missing !== undefined)
        return refuse("FILE_UNREADABLE", "", `"${missing}" could not be read (ENOENT).`, "Check the path.");
      return ok(paths.flatMap((path) => namesAt(files, path)).map((name) => ({ name, text: files[name] ?? "" })));
    },
    writeFile: () => refuse("FILE_UNREADABLE", "", "Nothing can be written here.", "Check the folder."),
    writeNew: (path, text) => {
      if (path in files || path in written) return refuse("FILE_UNREADABLE", "", `"${path}" is there already.`);
      written[path] = text;
      return ok(undefined);
    },
  };
  return { io, printed, written };
}

const namesAt = (files: Files, path: string): readonly string[] =>
  Object.keys(files)
    .filter((name) => name === path || name.startsWith(path.endsWith("/") ? path : `${path}/`))
    .sort();

/** Runs one command line over files in memory; words are split at spaces. */
export async function signet(line: string, files: Files = {}, world: World = {}): Promise<Ran> {
  const { io, printed } = fakeIo(files, world);
  const words = line.split(" ").filter((word) => word !== "");
  const code = await runCli(io, words, COMMANDS);
  return { code, ...printed };
}
