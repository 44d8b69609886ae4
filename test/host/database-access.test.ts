import { spawnSync } from "node:child_process";
import type { KeyObject } from "node:crypto";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { csrOf, leafKey, podRequest, testAuthority, walkParts } from "../fakes/ca.ts";
import { freePort } from "../fakes/free-port.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { Postgres, POSTGRES_USER } from "./postgres.ts";

const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");

const role = (name: string, segment: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: ${segment}, match: {serviceAccounts: [${name}]}, identity: {subject: account}}}`;

const DEFINITIONS = [
  "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}",
  "{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {namespaces: [pay], mode: enforce}}",
  "{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}",
  role("orders-db", "payments"),
  ...["web", "report", "batch"].map((name) => role(name, "shop")),
];

const line = (from: string, operations: string, tables: string): string =>
  `{from: {role: ${from}}, to: {role: orders-db}, 'on': [tcp/5432], data: {protocol: postgres, operations: [${operations}], tables: [${tables}]}, why: orders}`;
const policy = (...lines: readonly string[]): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: orders-db, namespace: pay}, spec: {segment: payments, allow: [${lines.join(", ")}]}}`;

const WEB = line("web", "select, insert", "orders");
const REPORT = line("report", "select", "orders, stock.goods");

let folder: string;
let postgres: Postgres;
let port: number;
let bundle: string;
let signed: Awaited<ReturnType<typeof testAuthority>>;

/** An SVID of an account as Signet issues it, by its own authority or by a stranger's. */
async function svidOf(account: string, namespace = "shop", by = signed) {
  const key = leafKey();
  const catalogue = catalogueOf(DEFINITIONS.join("\n---\n"));
  const { parts } = walkParts(by.issuer, { catalogue, now: Date.now });
  const { chain } = must(await issue(podRequest(csrOf(key), namespace, account), parts));
  return { cert: certificatesPem(chain), key: pemOf(key) };
}

const pemOf = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

/** Puts a file where PostgreSQL alone can read it, and gives its path. */
function kept(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  if (POSTGRES_USER !== undefined) chownSync(path, POSTGRES_USER, -1);
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-grants-"));
  chmodSync(folder, 0o755);
  signed = await testAuthority(undefined, "example.org", Date.now());
  bundle = certificatesPem([signed.root.der]);
  port = await freePort();
  const server = await svidOf("orders-db", "pay");
  const config = [
    "ssl = on",
    `ssl_cert_file = '${kept("server.crt", server.cert)}'`,
    `ssl_key_file = '${kept("server.key", server.key)}'`,
    `ssl_ca_file = '${kept("bundle.crt", bundle)}'`,
  ];
  postgres = new Postgres({ port, config: `${config.join("\n")}\n`, hba: "local all all trust\n" });
  await postgres.start();
  for (const statement of [
    "CREATE TABLE orders (id int)",
    "CREATE TABLE accounts (id int)",
    "CREATE SCHEMA stock",
    "CREATE TABLE stock.goods (id int)",
    "CREATE ROLE legacy LOGIN",
    "GRANT SELECT ON accounts TO legacy",
  ])
    await postgres.query(statement);
  const { host, name, user } = postgres.settings;
  writeFileSync(join(folder, "database.yaml"), JSON.stringify({ host, port, name, user }));
}, 60_000);

afterAll(async () => {
  await postgres?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Runs `signet policy apply` for the database, over the definitions and what else they say. */
function apply(more: readonly string[], ...options: readonly string[]) {
  const file = join(folder, "catalogue.yaml");
  writeFileSync(file, [...DEFINITIONS, ...more].join("\n---\n"));
  const args = [
    CLI,
    "policy",
    "apply",
    "-c",
    file,
    "--database",
    join(folder, "database.yaml"),
    "--server",
    "orders-db",
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, "--files", ...options], {
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

type Svid = Awaited<ReturnType<typeof svidOf>>;

/** What comes of a statement over TLS, by whoever holds an SVID, as a role of the database. */
async function asked(svid: Svid | undefined, user: string, statement: string): Promise<string> {
  const client = await session(svid, user).catch((fault: unknown) => String(fault));
  if (typeof client === "string") return client;
  try {
    await client.query(statement);
    return "done";
  } catch (fault) {
    return String(fault);
  } finally {
    await client.end();
  }
}

async function session(svid: Svid | undefined, user: string): Promise<pg.Client> {
  const ssl = { ca: bundle, checkServerIdentity: () => undefined, ...svid };
  const client = new pg.Client({ host: "127.0.0.1", port, database: postgres.settings.name, user, ssl });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

const REFUSED = (user: string) => `error: certificate authentication failed for user "${user}"`;

describe("a real PostgreSQL", { timeout: 60_000 }, () => {
  test("sentences become grants, which a dry run only shows", () => {
    const dry = apply([policy(WEB, REPORT)], "--dry-run");
    expect(dry).toEqual({
      status: 0,
      err: "",
      out: [
        "ROLE    TABLE          GAINS           LOSES",
        "web     public.orders  SELECT, INSERT  -",
        "report  public.orders  SELECT          -",
        "report  stock.goods    SELECT          -",
        'CREATE ROLE "report" LOGIN;',
        `COMMENT ON ROLE "report" IS 'Managed by Signet.';`,
        'CREATE ROLE "web" LOGIN;',
        `COMMENT ON ROLE "web" IS 'Managed by Signet.';`,
        'GRANT USAGE ON SCHEMA "stock" TO "report";',
        'GRANT SELECT ON "public"."orders" TO "web";',
        'GRANT INSERT ON "public"."orders" TO "web";',
        'GRANT SELECT ON "public"."orders" TO "report";',
        'GRANT SELECT ON "stock"."goods" TO "report";',
        "9 statements would be made.",
        "",
      ].join("\n"),
    });
    const applied = apply([policy(WEB, REPORT)]);
    expect([applied.status, applied.err, applied.out.split("\n").slice(-3)]).toEqual([
      0,
      "",
      ["pg_hba.conf and pg_ident.conf are written, and read by the server.", "9 statements.", ""],
    ]);
  });

  test("a second time there is nothing to do", () => {
    expect(apply([policy(WEB, REPORT)])).toEqual({ status: 0, err: "", out: "No grant changes.\n0 statements.\n" });
  });

  test("each SVID reaches its own tables in its own ways, and no others", async () => {
    const [web, report] = [await svidOf("web"), await svidOf("report")];
    expect({
      "web selects orders": await asked(web, "web", "SELECT * FROM orders"),
      "web inserts an order": await asked(web, "web", "INSERT INTO orders VALUES (1)"),
      "web deletes orders": await asked(web, "web", "DELETE FROM orders"),
      "web selects accounts": await asked(web, "web", "SELECT * FROM accounts"),
      "web selects goods": await asked(web, "web", "SELECT * FROM stock.goods"),
      "report selects goods": await asked(report, "report", "SELECT * FROM stock.goods"),
      "report inserts an order": await asked(report, "report", "INSERT INTO orders VALUES (2)"),
    }).toEqual({
      "web selects orders": "done",
      "web inserts an order": "done",
      "web deletes orders": "error: permission denied for table orders",
      "web selects accounts": "error: permission denied for table accounts",
      "web selects goods": "error: permission denied for schema stock",
      "report selects goods": "done",
      "report inserts an order": "error: permission denied for table orders",
    });
  });

  test("nobody is let in as a role that is not theirs", async () => {
    const stranger = await testAuthority(undefined, "example.org", Date.now());
    expect(await asked(await svidOf("batch"), "web", "SELECT 1")).toBe(REFUSED("web"));
    expect(await asked(await svidOf("web"), "report", "SELECT 1")).toBe(REFUSED("report"));
    expect(await asked(undefined, "web", "SELECT 1")).toBe("error: connection requires a valid client certificate");
    expect(await asked(await svidOf("web", "shop", stranger), "web", "SELECT 1")).toContain("unknown ca");
    const { host, name } = postgres.settings;
    const local = new pg.Client({ host, port, database: name, user: "web" });
    await expect(local.connect()).rejects.toThrow("pg_hba.conf rejects connection");
  });

  test("what somebody granted to a role of ours is taken back; what others have stays", async () => {
    await postgres.query("GRANT DELETE ON accounts TO web");
    await postgres.query("GRANT UPDATE (id) ON orders TO web");
    const { status, out } = apply([policy(WEB, REPORT)]);
    expect([status, out]).toEqual([
      0,
      [
        "ROLE  TABLE            GAINS  LOSES",
        "web   public.accounts  -      DELETE",
        "web   public.orders    -      UPDATE",
        'REVOKE DELETE ON "public"."accounts" FROM "web";',
        'REVOKE UPDATE ON "public"."orders" FROM "web";',
        "2 statements.",
        "",
      ].join("\n"),
    ]);
    await postgres.query("REVOKE SELECT ON orders FROM web");
    await postgres.query("GRANT SELECT (id) ON orders TO web");
    expect(
      apply([policy(WEB, REPORT)])
        .out.split("\n")
        .slice(1),
    ).toEqual(["web   public.orders  SELECT  -", 'GRANT SELECT ON "public"."orders" TO "web";', "1 statements.", ""]);
    expect(await postgres.query("SELECT has_table_privilege('legacy', 'accounts', 'SELECT') AS has")).toEqual([
      { has: true },
    ]);
  });

  test("where a role may do more by what everybody may, nothing of the change stays", async () => {
    await postgres.query("GRANT SELECT ON accounts TO PUBLIC");
    const { status, err } = apply([policy(line("web", "select", "orders"), REPORT)]);
    await postgres.query("REVOKE SELECT ON accounts FROM PUBLIC");
    expect([status, err.split("\n")[2]]).toEqual([
      3,
      'signet: public.accounts: "web" may SELECT on public.accounts beside what is meant: by PUBLIC, by a role it is a member of, or as an owner. [DATABASE_WIDER]',
    ]);
    expect(await asked(await svidOf("web"), "web", "INSERT INTO orders VALUES (3)")).toBe("done");
  });

  test("a table that is missing stops the whole change", async () => {
    const { status, err } = apply([policy(line("web", "select", "nowhere"))]);
    expect([status, err.split("\n")[0]]).toEqual([
      2,
      'signet: The database refused: relation "public.nowhere" does not exist. [DATABASE_REFUSED]',
    ]);
    expect(await asked(await svidOf("web"), "web", "SELECT * FROM orders")).toBe("done");
  });

  test("a caller whose sentence is gone is cut off at once, and cannot come again", async () => {
    const report = await session(await svidOf("report"), "report");
    const ended = new Promise((resolve) => report.once("end", resolve));
    const { status, out } = apply([policy(WEB)]);
    expect([status, out.split("\n").slice(3)]).toEqual([
      0,
      [
        'REVOKE SELECT ON "public"."orders" FROM "report";',
        'REVOKE SELECT ON "stock"."goods" FROM "report";',
        'ALTER ROLE "report" NOLOGIN;',
        "pg_hba.conf and pg_ident.conf are written, and read by the server.",
        "3 statements.",
        "",
      ],
    ]);
    await ended;
    expect(await asked(await svidOf("report"), "report", "SELECT 1")).toMatch(
      /no pg_hba.conf entry|not permitted to log in/,
    );
    expect(apply([policy(WEB)])).toEqual({ status: 0, err: "", out: "No grant changes.\n0 statements.\n" });
  });

  test("a quarantine takes every grant", async () => {
    const quarantine =
      "{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {role: web}, effect: quarantine, reason: stolen}}";
    expect(apply([policy(WEB), quarantine]).status).toBe(0);
    expect(await asked(await svidOf("web"), "web", "SELECT 1")).toMatch(/no pg_hba.conf entry|not permitted to log in/);
    expect(await postgres.query("SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY 1")).toEqual([
      { rolname: "legacy" },
      { rolname: "signet" },
    ]);
  });

  test("a role of somebody else's is never taken over", async () => {
    await postgres.query("COMMENT ON ROLE web IS 'mine'");
    const hba = (await postgres.query("SHOW hba_file"))[0]?.["hba_file"];
    const before = readFileSync(String(hba), "utf8");
    const { status, err } = apply([policy(WEB)]);
    expect([status, err]).toEqual([
      2,
      'signet: web: The database has a role "web" that is not of our making. [DATABASE_ROLE_TAKEN]\n' +
        `        Rename it; or hand it over: COMMENT ON ROLE "web" IS 'Managed by Signet.'. What it was granted is then taken away.\n`,
    ]);
    expect(readFileSync(String(hba), "utf8")).toBe(before);
  });
});
