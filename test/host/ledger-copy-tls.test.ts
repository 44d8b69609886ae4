import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openCopiesOf } from "../../src/bin/open-ledger.ts";
import { problemLine } from "../../src/domain/problem.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { freePort } from "../fakes/free-port.ts";
import { Postgres, POSTGRES_USER } from "./postgres.ts";

const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const PATIENCE = { timeout: 60_000, interval: 50 };
const PASSWORD = "correct-horse-battery";
const WRONG = "incorrect-horse";

/** On loopback only by TLS and with the password; on its socket as before. */
const HBA = `local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
`;

const folder = mkdtempSync(join(tmpdir(), "signet-tls-"));
const served = mkdtempSync(join(tmpdir(), "signet-tls-pg-"));
let postgres: Postgres;
let port: number;

const file = (name: string, text: string, at = folder): string => {
  const path = join(at, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

/** The certificate is for `localhost` alone, not for the address behind it. */
beforeAll(async () => {
  const [authority, stranger] = await Promise.all([makeAuthority("database"), makeAuthority("stranger")]);
  file("ca.crt", authority.cert);
  file("stranger.crt", stranger.cert);
  file("password", `${PASSWORD}\n`);
  file("wrong-password", `${WRONG}\n`);
  const { cert, key } = await authority.server({ name: "db" }, ["localhost"]);
  const pair = [file("server.crt", cert, served), file("server.key", key, served)];
  for (const path of [served, ...pair]) if (POSTGRES_USER !== undefined) chownSync(path, POSTGRES_USER, POSTGRES_USER);
  const config = `ssl = on\nssl_cert_file = '${pair[0]}'\nssl_key_file = '${pair[1]}'\n`;
  port = await freePort();
  postgres = new Postgres({ port, config, hba: HBA });
  await postgres.start();
  await postgres.query(`ALTER USER signet PASSWORD '${PASSWORD}'`);
}, 60_000);

afterAll(async () => {
  await postgres?.remove();
  for (const path of [folder, served]) rmSync(path, { recursive: true, force: true });
}, 60_000);

type Database = Readonly<Record<string, unknown>>;

const right = (): Database => ({
  host: "localhost",
  port,
  name: "postgres",
  passwordFile: join(folder, "password"),
  ca: join(folder, "ca.crt"),
});

const SERVER = { listen: "127.0.0.1:0", state: join(folder, "state"), log: { level: "debug" } };

const configured = (database: Database): string => file("server.yaml", JSON.stringify({ ...SERVER, database }));

/** Why a database cannot be read, as `signet ledger verify` says it, from the colon on. */
async function refusal(database: Database): Promise<string> {
  const opened = await openCopiesOf(configured(database));
  if (opened.ok) throw new Error("it was opened");
  const said = opened.problems.map(problemLine).join("\n");
  for (const secret of [PASSWORD, WRONG]) expect(said).not.toContain(secret);
  const [, why = said] = /cannot be read: (.*)\.$/.exec(said) ?? [];
  return why;
}

test("a server copies its ledger by TLS with a password, and neither is ever said", { timeout: 90_000 }, async () => {
  const server = spawn(process.execPath, [CLI, "server", "--config", configured(right())], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  const exited = once(server, "exit");
  let said = "";
  for (const stream of [server.stdout, server.stderr])
    stream.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  await expect.poll(() => said, PATIENCE).toContain("Try:");
  const encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'signet'";
  await expect.poll(() => postgres.query(encrypted), PATIENCE).toEqual([{ ssl: true }]);
  const held = () => postgres.query("SELECT count(*) > 0 AS held FROM signet_records").catch(() => []);
  await expect.poll(held, PATIENCE).toEqual([{ held: true }]);
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  const args = ["ledger", "verify", "--database", configured(right()), "-o", "json"];
  const { stdout, status } = spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
  expect(status, stdout).toBe(0);
  expect((JSON.parse(stdout) as { readonly ledgers: readonly object[] }).ledgers).toHaveLength(1);
  expect(said + stdout).not.toContain(PASSWORD);
});

test.each<readonly [string, () => Database, () => string]>([
  [
    "signed by another authority",
    () => ({ ...right(), ca: join(folder, "stranger.crt") }),
    () =>
      `the certificate of localhost:${port} is not signed by ${join(folder, "stranger.crt")} (unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca): name its authority in database.ca`,
  ],
  [
    "signed by none that Node knows",
    () => ({ host: "localhost", port, name: "postgres", passwordFile: join(folder, "password") }),
    () =>
      `the certificate of localhost:${port} is not signed by an authority that Node knows (unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca): name its authority in database.ca`,
  ],
  [
    "for another name",
    () => ({ ...right(), host: "127.0.0.1" }),
    () =>
      `the certificate of 127.0.0.1:${port} is for another name (Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ): write database.host as the certificate has it`,
  ],
])("a database whose certificate is %s is not believed, and it is said what to do", async (_what, database, why) => {
  expect(await refusal(database())).toBe(why());
});

test("a wrong password, and none, are told without being said", async () => {
  const failed = 'password authentication failed for user "signet"';
  expect(await refusal({ ...right(), passwordFile: join(folder, "wrong-password") })).toBe(
    `localhost:${port} (${failed}): look at database.user and at the file in database.passwordFile`,
  );
  const { passwordFile: _, ...without } = right();
  expect(await refusal(without)).toBe(
    `localhost:${port} asks for a password (SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string): name its file in database.passwordFile`,
  );
});

test("without TLS a database that asks for it refuses, before a password is sent", async () => {
  expect(await refusal({ ...right(), tls: "none" })).toMatch(
    /^localhost:\d+ \(no pg_hba\.conf entry for host "127\.0\.0\.1", user "signet", database "postgres", no encryption\): let database\.user in by pg_hba\.conf$/,
  );
});
