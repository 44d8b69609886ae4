import { hash } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openCopiesOf, openLedgerOf } from "../../src/bin/open-ledger.ts";
import { addLedgerCommand, type CopiesView, type LedgerLine, type Verified } from "../../src/cli/ledger.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok } from "../../src/domain/problem.ts";
import { LedgerFile } from "../../src/store/ledger-file.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");

let state = "";
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "signet-ledger-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  state = made;
});

const write = (): void => {
  const file = new LedgerFile(join(state, "ledger.db"), "1", NOON);
  file.write({ entries: [{ kind: "issuance", subject: "a", at: NOON, body: "{}" }], snapshots: [] });
  file.close();
};

/** Runs a command with the real ledger of the folder, and with these copies. */
async function signet(
  args: readonly string[],
  copies?: CopiesView,
  readInputs: Parameters<typeof runCli>[0]["readInputs"] = () => ok([]),
) {
  const said = { out: "", err: "" };
  const code = await runCli(
    {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      color: false,
      now: () => NOON,
      env: {},
      readInputs,
      writeFile: () => ok(undefined),
      openLedger: async (at) => openLedgerOf(at),
      openCopies: async (config) => (copies ? ok(copies) : openCopiesOf(config)),
    },
    args,
    [addLedgerCommand],
  );
  return { code, ...said };
}

describe("ledger verify", () => {
  test("says where a whole ledger has come to", async () => {
    write();
    const { code, out } = await signet(["ledger", "verify", "--state", state]);
    expect(out).toMatch(/^The ledger verifies: 2 records in 1 chains\.\n {2}head 1\/1 [0-9a-f]{64}\n$/);
    expect(code).toBe(0);
  });

  test("says of each certificate whether the ledger has its exact digest, and fails where it has not", async () => {
    const [issuing, leaf, strange] = ["issuing", "leaf", "strange"].map((text) => Buffer.from(text.repeat(30)));
    const pem = (der = Buffer.of()) =>
      `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
    const digest = (der = Buffer.of()) => hash("sha256", der);
    const issued = { outcome: "issued", serial: "4a01", sha256: digest(leaf), notBefore: NOON, notAfter: NOON };
    const times = { notBefore: "2026-11-23T12:00:00Z", notAfter: "2026-11-23T13:00:00Z" };
    const made = { step: "prepare", certificates: [{ what: "issuing", id: "aa", sha256: digest(issuing) }] };
    const file = new LedgerFile(join(state, "ledger.db"), "1", NOON);
    const entries = [
      { kind: "authority", subject: "aa", at: NOON, body: JSON.stringify(made) },
      { kind: "issuance", subject: "Pod web/cart-1", at: NOON, body: JSON.stringify({ ...issued, ...times }) },
    ];
    file.write({ entries, snapshots: [] });
    file.close();
    const inputs = (text: string) => () => ok([{ name: "svid.pem", text }]);
    const good = await signet(
      ["ledger", "verify", "--state", state, "--certificate", "x"],
      undefined,
      inputs(pem(leaf) + pem(issuing)),
    );
    expect([good.code, good.out.split("\n").slice(2)]).toEqual([
      0,
      [
        "LEDGER  RECORD  WHEN                  FOR             CERTIFICATE",
        `has it  1/2     2026-11-23T12:00:00Z  Pod web/cart-1  svid.pem#1 ${digest(leaf)}`,
        `has it  1/1     2026-11-23T12:00:00Z  authority aa    svid.pem#2 ${digest(issuing)}`,
        "",
      ],
    ]);
    const bad = await signet(
      ["ledger", "verify", "--state", state, "--certificate", "x", "-o", "json"],
      undefined,
      inputs(pem(leaf) + pem(strange)),
    );
    expect([bad.code, (JSON.parse(bad.out) as { certificates: unknown }).certificates]).toEqual([
      3,
      [
        {
          file: "svid.pem",
          number: 1,
          sha256: digest(leaf),
          known: true,
          record: "1/2",
          kind: "issuance",
          at: times.notBefore,
          subject: "Pod web/cart-1",
        },
        { file: "svid.pem", number: 2, sha256: digest(strange), known: false },
      ],
    ]);
    const none = await signet(
      ["ledger", "verify", "--state", state, "--certificate", "x"],
      undefined,
      inputs("no PEM"),
    );
    expect([none.code, none.err.split("\n")[0]]).toEqual([
      2,
      "signet: --certificate: There is no certificate in these files. [SVID_INVALID]",
    ]);
  });

  test("holds it also against a head that was kept elsewhere, and says what is missing", async () => {
    write();
    write();
    const kept = join(state, "kept");
    copyFileSync(join(state, "ledger.db.head"), kept);
    expect(await signet(["ledger", "verify", "--state", state, "--head", kept])).toMatchObject({ code: 0 });
    for (const name of ["ledger.db", "ledger.db.head"]) rmSync(join(state, name));
    write();
    const { code, out } = await signet(["ledger", "verify", "--state", state, "--head", kept]);
    expect(out).toBe(
      "The ledger is BROKEN at record 1/1: records behind it are missing: a signed head says 2/1 [LEDGER_BROKEN]\n" +
        "  2 records before it are as they were written. Keep everything as it is.\n",
    );
    expect(code).toBe(3);
  });

  test("refuses a head that nobody has signed", async () => {
    write();
    writeFileSync(join(state, "kept"), "{}");
    const { code, err } = await signet(["ledger", "verify", "--state", state, "--head", join(state, "kept")]);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("holds no signed head, or one that its key has not signed"),
    ]);
  });
});

const whole: Verified & { readonly ledger: string } = {
  ledger: "6f1c",
  chains: 1,
  records: 2,
  head: { chain: 1, seq: 1, hash: "ab" },
};
const line: LedgerLine & { readonly ledger: string } = {
  ledger: "6f1c",
  chain: 1,
  seq: 1,
  at: NOON,
  kind: "issuance",
  subject: "a",
  body: "{}",
  hash: "ab",
};
const copies = (...found: readonly (typeof whole)[]): CopiesView => ({
  verify: async () => found,
  records: async () => [line],
  close: async () => undefined,
});

describe("with --database", () => {
  test("every ledger that was copied is verified, and one that is broken is found", async () => {
    const broken = { ...whole, ledger: "77aa", broken: { chain: 1, seq: 1, why: "it is not what was written" } };
    expect(await signet(["ledger", "verify", "--database", "c.yaml"], copies(whole, broken))).toEqual({
      code: 3,
      err: "",
      out:
        "Ledger 6f1c verifies: 2 records in 1 chains.\n  head 1/1 ab\n" +
        "Ledger 77aa is BROKEN at record 1/1: it is not what was written [LEDGER_BROKEN]\n" +
        "  2 records before it are as they were written. Keep everything as it is.\n",
    });
    const asJson = await signet(["ledger", "verify", "--database", "c.yaml", "-o", "json"], copies(whole));
    expect([asJson.code, JSON.parse(asJson.out)]).toEqual([0, { verifies: true, ledgers: [whole] }]);
  });

  test("a database without ledgers says so", async () => {
    const { out } = await signet(["ledger", "verify", "--database", "c.yaml"], copies());
    expect(out).toBe("The database holds no ledgers.\n");
  });

  test("records are shown as those of a file are", async () => {
    const { out } = await signet(["ledger", "show", "--database", "c.yaml"], copies(whole));
    expect(out).toBe("1/1       2026-11-23T12:00:00Z issuance  a  {}\n");
  });

  test("a configuration that names none, and one whose database is away, are refused in words", async () => {
    const config = join(state, "server.yaml");
    writeFileSync(config, "state: x\n");
    expect((await signet(["ledger", "verify", "--database", config])).err).toContain("names no database");
    writeFileSync(config, `database: {host: ${state}}\n`);
    const { code, err } = await signet(["ledger", "verify", "--database", config]);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`The ledgers in the database signet at ${state} cannot be read`),
    ]);
    expect(err).toContain("[DATABASE_UNREADABLE]");
  });
});
