import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Pace } from "../../src/folder/keep-looking.ts";
import { type FolderState, type WatchedFolder, watchFolder } from "../../src/folder/watch.ts";

let folder: string;
let watched: WatchedFolder | undefined;
let states: FolderState[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
  states = [];
});
afterEach(() => {
  watched?.close();
  rmSync(folder, { recursive: true, force: true });
});

const segment = (name: string, extra = ""): string =>
  `apiVersion: signet.dev/v1alpha1\nkind: Segment\nmetadata: {name: ${name}}\nspec: {namespaces: [${name}]${extra}}\n`;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const QUICK: Pace = { settleMs: 5, rescanMs: 10 };
const start = async (at = folder): Promise<WatchedFolder> => {
  watched = await watchFolder(at, { changed: (state) => states.push(state), now: () => 7, pace: QUICK });
  return watched;
};
const names = (): readonly string[] | undefined => {
  const catalogue = watched?.state().snapshot?.catalogue;
  return catalogue && [...catalogue.segments.keys()];
};
const until = (holds: () => void): Promise<void> => vi.waitFor(holds, { timeout: 5000, interval: 5 });

test("a folder is read at once, and its revision is a digest of what it defines", async () => {
  write("a.yaml", segment("shop"));
  const { snapshot, problems, readAt } = (await start()).state();
  expect([names(), problems, readAt]).toEqual([["shop"], [], 7]);
  expect(snapshot?.catalogue.revision).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.isFrozen(snapshot?.catalogue)).toBe(true);
});

test("equal definitions have equal revisions, whatever the comments; another name or field another", async () => {
  const revisions: (string | undefined)[] = [];
  for (const text of [
    segment("shop"),
    `# why\n${segment("shop")}`,
    segment("shop", ", mode: enforce"),
    segment("bank"),
  ]) {
    write("a.yaml", text);
    revisions.push((await start()).state().snapshot?.catalogue.revision);
    watched?.close();
  }
  expect([revisions[0] === revisions[1], new Set(revisions).size]).toEqual([true, 3]);
});

test("a change, a new file and a lost one are found", async () => {
  write("a.yaml", segment("shop"));
  await start();
  write("b.yaml", segment("bank"));
  await until(() => expect(names()).toEqual(["bank", "shop"]));
  write("a.yaml", segment("store"));
  await until(() => expect(names()).toEqual(["bank", "store"]));
  unlinkSync(join(folder, "b.yaml"));
  await until(() => expect(names()).toEqual(["store"]));
});

test("a broken file keeps the last good state in force and names file and line; mending it ends that", async () => {
  write("a.yaml", segment("shop"));
  const { state } = await start();
  const good = state().snapshot;
  write("b.yaml", "kind: [\n");
  await until(() => expect(state().problems).toHaveLength(1));
  expect(state().snapshot).toBe(good);
  expect(state().problems[0]).toMatchObject({ code: "YAML_SYNTAX", source: { file: join(folder, "b.yaml"), line: 2 } });
  expect([state().good, state().broken]).toEqual([1, 1]);
  write("b.yaml", segment("bank"));
  await until(() => expect(names()).toEqual(["bank", "shop"]));
  expect(state().problems).toEqual([]);
  expect(states.map(({ problems }) => problems.length)).toEqual([0, 1, 0]);
});

test("a folder that is broken from the start has no snapshot until it is mended", async () => {
  write("a.yaml", segment("shop", ", colour: red"));
  const { state } = await start();
  expect([state().snapshot, state().problems.map(({ code }) => code)]).toEqual([undefined, ["FIELD_UNKNOWN"]]);
  write("a.yaml", segment("shop"));
  await until(() => expect(names()).toEqual(["shop"]));
});

test("a definition that stands in two files refuses the new state and names both places", async () => {
  write("a.yaml", segment("shop"));
  write("b.yaml", `---\n---\n${segment("shop")}`);
  const { state } = await start();
  expect(state().problems).toEqual([
    {
      code: "OBJECT_DUPLICATE",
      path: "metadata.name",
      message: `Segment /shop stands also at ${join(folder, "a.yaml")}:1.`,
      mend: "Delete or rename one of the two.",
      source: { file: join(folder, "b.yaml"), line: 3, column: 1 },
    },
  ]);
});

test("a swapped symbolic link, as of a mounted ConfigMap, is found", async () => {
  for (const version of ["1", "2"]) {
    mkdirSync(join(folder, `..${version}`));
    writeFileSync(join(folder, `..${version}`, "a.yaml"), segment(`shop-${version}`));
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync("..data/a.yaml", join(folder, "a.yaml"));
  await start();
  expect(names()).toEqual(["shop-1"]);
  symlinkSync("..2", join(folder, "..next"));
  renameSync(join(folder, "..next"), join(folder, "..data"));
  await until(() => expect(names()).toEqual(["shop-2"]));
});

test("a folder that goes away keeps the last good state, and is read again when it is back", async () => {
  write("a.yaml", segment("shop"));
  const { state } = await start();
  renameSync(folder, `${folder}-away`);
  await until(() => expect(state().problems.map(({ code }) => code)).toEqual(["FILE_UNREADABLE"]));
  expect(names()).toEqual(["shop"]);
  renameSync(`${folder}-away`, folder);
  write("b.yaml", segment("bank"));
  await until(() => expect(names()).toEqual(["bank", "shop"]));
});

test("a touched file with equal definitions is nothing new", async () => {
  write("a.yaml", segment("shop"));
  const { state } = await start();
  write("a.yaml", `${segment("shop")}# touched\n`);
  await until(() => expect(state().good).toBe(2));
  expect(states).toHaveLength(1);
});

test("what is large is read in a process of its own, with the same result", async () => {
  const many = Array.from({ length: 800 }, (_, index) => segment(`room-${index}`)).join("---\n");
  expect(many.length).toBeGreaterThan(64 * 1024);
  write("a.yaml", many);
  const { state } = await start();
  expect(names()).toHaveLength(800);
  expect(state().snapshot?.catalogue.segments.get("room-7")?.source).toEqual({
    file: join(folder, "a.yaml"),
    line: 36,
    column: 1,
  });
  write("a.yaml", many.replace("[room-799]}", "[room-799], colour: red}"));
  await until(() => expect(state().problems).not.toEqual([]));
  expect(names()).toHaveLength(800);
});

test("other files in the folder are left aside, and what is not a definition is not in the snapshot", async () => {
  write(
    "a.yaml",
    `${segment("shop")}---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: s3cret}\n`,
  );
  write("notes.txt", "kind: [");
  const { snapshot, problems } = (await start()).state();
  expect([problems, names(), snapshot?.text.includes("s3cret")]).toEqual([[], ["shop"], false]);
});
