import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type GrantFolder, watchGrants } from "../../src/bin/grant-folder.ts";
import { makeKeys, sign } from "../../src/bin/grant-keeper.ts";
import { formatInstant } from "../../src/domain/instant.ts";
import { type WatchedFolder, watchFolder } from "../../src/folder/watch.ts";
import { joinItems, readSnapshotText } from "../../src/wire/snapshot-text.ts";
import { must, NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const UID = "6c1f0a3e-0000-4000-8000-000000000001";
const QUICK = { settleMs: 5, rescanMs: 10 };

let root: string;
let keys: { readonly private: string; readonly public: string };
let opened: readonly { readonly close: () => void }[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "signet-test-"));
  mkdirSync(join(root, "grants"));
  mkdirSync(join(root, "catalogue"));
  const made = await makeKeys();
  keys = { private: made.privateKey, public: made.publicKeys };
  write("keys.json", keys.public);
  opened = [];
});
afterEach(() => {
  for (const one of opened) one.close();
  rmSync(root, { recursive: true, force: true });
});

const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
const until = (holds: () => void): Promise<void> => vi.waitFor(holds, { timeout: 5000, interval: 5 });

/** Signs a grant of the exception, which permits this check. */
async function signed(name: string, check: string, { by = keys.private, at = NOON } = {}): Promise<string> {
  const expires = NOON + 86_400_000;
  const payload = {
    iat: at / 1000,
    exp: expires / 1000,
    namespace: "payments",
    namespaceUID: UID,
    name,
    spec: { permit: { check }, workloads: { role: "db" }, reason: "r", expires: formatInstant(expires) },
  };
  return must(await sign(by, JSON.stringify(payload)));
}

const config = (required = false) => ({ folder: join(root, "grants"), keys: join(root, "keys.json"), required });

async function watched(required = false): Promise<GrantFolder> {
  const folder = must(await watchGrants(config(required), { log: quietLog, pace: QUICK }));
  if (!folder) throw new Error("grants are configured");
  opened = [...opened, folder];
  return folder;
}
const granted = (folder: GrantFolder) =>
  folder.current().exceptions.map(({ name, permit }) => `${name} ${"check" in permit ? permit.check : ""}`);

test("grants of a folder count; one that is not trusted counts for nothing, and takes nothing away from the others", async () => {
  write("grants/import.jws", await signed("import", "hostPID"));
  write("grants/stranger.jws", await signed("debug", "hostIPC", { by: (await makeKeys()).privateKey }));
  write("grants/notes.txt", "no grant");
  const folder = await watched();
  expect(granted(folder)).toEqual(["import hostPID"]);
  expect(folder.check()).toEqual({
    name: "grants",
    ok: true,
    detail:
      "warning: 1 problems, first: stranger.jws: The signature does not count: the key is not one of those trusted.; 1 count",
  });
});

test("a grant comes, another is taken away, and then its key is: each is found, and told once", async () => {
  write("grants/import.jws", await signed("import", "hostPID"));
  const folder = await watched();
  const told: (readonly string[])[] = [];
  folder.onChange(() => told.push(granted(folder)));
  write("grants/more.jws", await signed("more", "hostIPC"));
  await until(() => expect(granted(folder)).toEqual(["import hostPID", "more hostIPC"]));
  unlinkSync(join(root, "grants/import.jws"));
  await until(() => expect(granted(folder)).toEqual(["more hostIPC"]));
  write("keys.json", (await makeKeys()).publicKeys);
  await until(() => expect(granted(folder)).toEqual([]));
  expect(told).toEqual([["import hostPID", "more hostIPC"], ["more hostIPC"], []]);
});

test("two grants under one name both count, the one that was signed last first, whatever their files are called", async () => {
  write("catalogue/a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: payments}\n");
  write("grants/a.jws", await signed("import", "hostIPC", { at: NOON + 60_000 }));
  write("grants/b.jws", await signed("import", "hostPID"));
  const grants = await watched();
  const { catalogue } = await follow(grants);
  const permits = catalogue()
    .exceptions.get("payments/import")
    ?.map(({ permit }) => permit);
  expect(permits).toEqual([{ check: "hostIPC" }, { check: "hostPID" }]);
});

test("where the keys cannot be read any more the last good state stays; at the start it refuses", async () => {
  write("grants/import.jws", await signed("import", "hostPID"));
  const folder = await watched();
  write("keys.json", "{}");
  await until(() => expect(folder.check().detail).toContain("That is no set of public keys for grants."));
  expect(granted(folder)).toEqual(["import hostPID"]);
  const again = await watchGrants(config(), { log: quietLog });
  expect(again.ok ? [] : again.problems.map(({ code, path }) => [code, path])).toEqual([
    ["GRANT_UNREADABLE", join(root, "keys.json")],
  ]);
  rmSync(join(root, "grants"), { recursive: true });
  const gone = await watchGrants(config(), { log: quietLog });
  expect(gone.ok ? [] : gone.problems.map(({ code }) => code)).toEqual(["FILE_UNREADABLE"]);
});

test("a server without grants watches nothing", async () => {
  expect(await watchGrants(undefined, { log: quietLog })).toEqual({ ok: true, value: undefined });
});

async function follow(grants: GrantFolder) {
  const states: string[] = [];
  const folder: WatchedFolder = await watchFolder(join(root, "catalogue"), {
    changed: ({ snapshot }) => states.push(snapshot?.catalogue.revision ?? "none"),
    now: () => NOON,
    pace: QUICK,
    grants: grants.current,
  });
  opened = [...opened, folder];
  grants.onChange(folder.remake);
  const snapshot = () => {
    const found = folder.state().snapshot;
    if (!found) throw new Error("no snapshot");
    return found;
  };
  return { states, folder, snapshot, catalogue: () => snapshot().catalogue };
}

const APPROVED = (name: string) =>
  `apiVersion: signet.dev/v1alpha1\nkind: SegmentException\nmetadata: {namespace: payments, name: ${name}}\nspec: &spec {permit: {check: hostIPC}, workloads: {role: db}, reason: r, expires: "2026-12-01T00:00:00Z"}\nstatus: {approved: {generation: 1, by: [ann], spec: *spec}}\n`;

test("grants stand in the snapshot beside what a folder holds, and in its text, of which it is made again", async () => {
  write("catalogue/a.yaml", APPROVED("old"));
  write("grants/import.jws", await signed("import", "hostPID"));
  const { snapshot } = await follow(await watched());
  const states = (exceptions: Iterable<{ readonly name: string; readonly approval: { readonly state: string } }>) =>
    [...exceptions].map(({ name, approval: { state } }) => [name, state]);
  const { catalogue, text } = snapshot();
  expect(states(catalogue.definitions.exceptions)).toEqual([
    ["old", "approved"],
    ["import", "approved"],
  ]);
  expect(must(readSnapshotText(text)).exceptions.map(({ grant }) => grant?.namespaceUid)).toEqual([undefined, UID]);
});

test("where signatures are required nothing else grants: not the approval that a folder claims, nor no approval at all", async () => {
  write(
    "catalogue/a.yaml",
    `${APPROVED("old")}---\n${APPROVED("import")}---\n${APPROVED("bare").replace(/status.*\n/, "")}`,
  );
  write("grants/import.jws", await signed("import", "hostPID"));
  const { snapshot } = await follow(await watched(true));
  const states = snapshot().catalogue.definitions.exceptions.map(({ name, approval: { state } }) => [name, state]);
  expect(states).toEqual([
    ["old", "unsigned"],
    ["bare", "unsigned"],
    ["import", "approved"],
  ]);
  const again = must(readSnapshotText(snapshot().text)).exceptions;
  expect(again.map(({ name, approval: { state } }) => [name, state])).toEqual(states);
});

test("a grant that is taken away ends at once, even while the folder cannot be read", async () => {
  write("catalogue/a.yaml", APPROVED("old"));
  write("grants/import.jws", await signed("import", "hostPID"));
  const { folder, catalogue, states } = await follow(await watched());
  write("catalogue/b.yaml", "kind: [\n");
  await until(() => expect(folder.state().problems).toHaveLength(1));
  unlinkSync(join(root, "grants/import.jws"));
  await until(() => expect([...catalogue().exceptions.keys()]).toEqual(["payments/old"]));
  expect([folder.state().problems.length, new Set(states).size]).toEqual([1, 2]);
});

test("a text without grants is the text that it always was", () => {
  expect(joinItems([["a.yaml", "[]"]])).toBe('[{"name":"a.yaml","items":[]}]');
});
