import { describe, expect, test } from "vitest";
import { commandShapes } from "../../src/cli/completion-model.ts";
import { PROBLEM_CODES } from "../../src/domain/problem-codes.ts";
import { signet } from "../fakes/io.ts";
import { wholeProgram } from "../generated/cli-docs.ts";

const { program, helpOf } = wholeProgram();
const shapes = commandShapes(program);
const leaves = shapes.filter(({ commands }) => commands.length === 0);

/** Lines of a help text that are examples, as words after `signet`. */
const examplesOf = (path: string): readonly (readonly string[])[] =>
  helpOf(path.split(" "))
    .split("\n")
    .filter((line) => line.startsWith("  $ signet "))
    .map((line) => line.slice("  $ signet ".length).split(/[ =]/));

describe("help", () => {
  test.each(leaves)("`signet $path` has examples, whose options it knows", ({ path, options }) => {
    const examples = examplesOf(path);
    expect(examples.length).toBeGreaterThan(0);
    const known = options.flatMap(({ names }) => names);
    for (const words of examples) {
      expect(words.slice(0, path.split(" ").length).join(" ")).toBe(path);
      const piped = words.findIndex((word) => word === "|" || word === ">");
      const own = piped === -1 ? words : words.slice(0, piped);
      expect(own.filter((word) => /^--?[a-z]/.test(word) && !known.includes(word))).toEqual([]);
    }
  });

  test.each(shapes)("`signet help $path` and `signet $path --help` say the same", async ({ path }) => {
    const [help, option] = [await signet(`help ${path}`), await signet(`${path} --help`)];
    expect(help).toEqual({ code: 0, out: helpOf(path === "" ? [] : path.split(" ")), err: "" });
    expect(option).toEqual(help);
  });

  test.each(Object.entries(PROBLEM_CODES))("`signet help %s` explains it", async (code, { title, why, mend }) => {
    const text = `${code}: ${title}\n\nWhy:  ${why}\n\nMend: ${mend}\n`;
    expect(await signet(`help ${code}`)).toEqual({ code: 0, out: text, err: "" });
  });

  test("a code may be written in small letters with dashes", async () => {
    expect(await signet("help role-none")).toEqual(await signet("help ROLE_NONE"));
  });

  test("`signet help codes` lists every code with its title", async () => {
    const { out } = await signet("help codes");
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => line.split("  ")[0]),
    ).toEqual(Object.keys(PROBLEM_CODES));
  });

  test("a code is bold only on a terminal", async () => {
    const { out } = await signet("help ROLE_NONE", {}, { color: true });
    expect(out.startsWith("\u001b[1mROLE_NONE\u001b[0m: ")).toBe(true);
  });
});

describe("bad usage", () => {
  test.each([
    ["rview", "error: unknown command 'rview'\n(Did you mean review?)\n(`signet help` shows all commands)\n"],
    [
      "review x --catalog y",
      "error: unknown option '--catalog'\n(Did you mean --catalogue?)\n(`signet help` shows all commands)\n",
    ],
    ["review", "error: missing required argument 'path'\n(`signet help` shows all commands)\n"],
    [
      "lint --output xml",
      "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are text, json, sarif, github.\n(`signet help` shows all commands)\n",
    ],
    [
      "lint --at tomorrow",
      "error: option '--at <time>' argument 'tomorrow' is invalid. Write it as RFC 3339 says, for example 2027-01-31T00:00:00Z.\n(`signet help` shows all commands)\n",
    ],
    [
      "help ROLE_NON",
      'signet: There is no command and no problem code "ROLE_NON". [USAGE]\n        Did you mean ROLE_NONE?\n',
    ],
    [
      "help everything at once",
      'signet: There is no command and no problem code "everything at once". [USAGE]\n        `signet help` lists the commands, `signet help codes` the codes.\n',
    ],
    [
      "roles",
      "signet: No catalogue is named. [USAGE]\n        Name the folder with your Segments and WorkloadRoles: --catalogue DIR, or SIGNET_CATALOGUE=DIR.\n",
    ],
  ])("`signet %s` is exit code 2, in words", async (line, err) => {
    expect(await signet(line)).toEqual({ code: 2, out: "", err });
  });
});

test("`signet version` says what runs", async () => {
  expect((await signet("version")).out).toMatch(/^signet \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+, [a-z0-9]+-[a-z0-9]+\)\n$/);
  const { out } = await signet("version --output json");
  expect(Object.keys(JSON.parse(out) as object)).toEqual(["signet", "node", "platform"]);
  expect((await signet("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
