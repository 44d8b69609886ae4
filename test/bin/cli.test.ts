import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Each test starts a Node of its own, which takes its time on a busy machine. */
const SLOW = 60_000;
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-cli-"));
  writeFileSync(
    join(folder, "policy.yaml"),
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {signet.dev/enrol: "true"}}\n',
  );
  writeFileSync(join(folder, "pod.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nspec: {}\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: readonly string[], input = "") =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", input, cwd: folder });

test("the door gives commands real files, standard input and the exit code", { timeout: SLOW }, () => {
  const refused = run(["review", "pod.yaml", "--catalogue", "policy.yaml"]);
  expect(refused).toMatchObject({ status: 3, stderr: "" });
  const piped = run(
    ["review", "-", "--catalogue", "policy.yaml"],
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nspec: {}\n",
  );
  expect(piped).toMatchObject({ status: 3, stdout: refused.stdout, stderr: "" });
  expect(run(["review", "nothing.yaml", "--catalogue", "policy.yaml"])).toMatchObject({
    status: 2,
    stdout: "",
    stderr:
      'signet: "nothing.yaml" could not be read (ENOENT). [FILE_UNREADABLE]\n        Check the path and its permissions.\n',
  });
});

test("nothing is coloured where the output is no terminal", { timeout: SLOW }, () => {
  expect(run(["help", "ROLE_NONE"]).stdout).not.toContain("\u001b");
});

test("a reader that closes the pipe early is no failure", { timeout: SLOW }, async () => {
  const child = spawn(process.execPath, [CLI, "crds"], { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, err }).toEqual({ code: 0, err: "" });
});
