import { expect, test } from "vitest";
import type { DatabaseDoor } from "../../src/cli/database-access.ts";
import { applyToDatabase } from "../../src/cli/policy-database.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import { fakeIo } from "../fakes/io.ts";

const DEFINITIONS = [
  "{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: pay}, spec: {namespaces: [pay], mode: enforce, policyApproval: none}}",
  ...["web", "db"].map(
    (name) =>
      `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: pay, match: {serviceAccounts: [${name}]}, identity: {subject: account}}}`,
  ),
  "{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: pay}, spec: {segment: pay, allow: [{from: {role: web}, to: {role: db}, 'on': [tcp/5432], data: {protocol: postgres, operations: [select], tables: [orders]}, why: orders}]}}",
].join("\n---\n");

/** A database that holds what is wanted already, but for what a test says. */
function door(more: Partial<DatabaseDoor> = {}) {
  const granted = async () => [{ role: "web", schema: "public", table: "orders", privilege: "SELECT", whole: true }];
  return {
    transaction: async (work: () => Promise<boolean>) => void (await work()),
    roles: async () => [{ role: "web", login: true, ours: true }],
    granted,
    may: granted,
    run: async () => undefined,
    endSessions: async () => undefined,
    changeFiles: async () => false,
    close: async () => undefined,
    ...more,
  } satisfies DatabaseDoor;
}

async function applied(database: DatabaseDoor) {
  const { io, printed } = fakeIo({ "policy.yaml": DEFINITIONS });
  const cluster = async () => refuse("USAGE", "", "no cluster here");
  const given = { catalogue: "policy.yaml", database: "db.yaml", files: true };
  const code = await applyToDatabase(io, { cluster, database: async () => ok(database) }, given);
  return { code, err: printed.err };
}

const lost = async (): Promise<never> => {
  throw new Error("the connection was lost");
};

const REFUSED = "signet: The database refused: the connection was lost. [DATABASE_REFUSED]\n";

test.each([
  [
    "before its end",
    { run: lost, granted: async () => [] },
    "Nothing of this run's grants stays; mend that and run it again.",
  ],
  [
    "at its end",
    {
      transaction: async (work: () => Promise<boolean>) => {
        await work();
        await lost();
      },
    },
    "Whether this run's grants stay is not known; mend that and run it again.",
  ],
  [
    "after its end",
    { endSessions: lost },
    "This run's grants stay, and what comes after them was not done: sessions that should end, and the files. Mend that and run it again.",
  ],
] as const)("a transaction that the database stops %s is told as what it is", async (_when, more, left) => {
  expect(await applied(door(more))).toEqual({ code: 2, err: `${REFUSED}        ${left}\n` });
});

test("the files are not touched for roles that cannot log in, and sessions of theirs are ended still", async () => {
  const texts: string[] = [];
  const ended: string[] = [];
  const gone = { role: "old", login: false, ours: true };
  const changeFiles: DatabaseDoor["changeFiles"] = async (hba) => {
    texts.push(hba(""));
    return false;
  };
  const roles = async () => [{ role: "web", login: true, ours: true }, gone];
  const endSessions: DatabaseDoor["endSessions"] = async (names) => void ended.push(...names);
  expect(await applied(door({ roles, changeFiles, endSessions }))).toEqual({ code: 0, err: "" });
  expect(ended).toEqual(["old"]);
  expect(texts[0]).not.toContain("old");
  expect(texts[1]).toBe(texts[0]);
});
