import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { Postgres, POSTGRES_USER } from "../../host/postgres.ts";
import { EXAMPLES } from "../judges.ts";
import type { Holder } from "./openssl.ts";
import { freePort } from "../../fakes/free-port.ts";
import { startReload } from "./table.ts";
import type { Mounted } from "./mounted.ts";
import { type Account, type Authority, idOf, makeAuthority, mountedFor, temporaryFolder } from "./world.ts";

const POLL = { timeout: 20_000, interval: 100 };
const PASSWORD = "only for this test";
const example = (name: string): string => readFileSync(join(EXAMPLES, "postgresql", name), "utf8");

/** The example's database: a table that one workload may read, as the role `shop`. */
async function startDatabase(mounted: Mounted, port: number): Promise<Postgres> {
  const config = example("signet.conf").replaceAll("/var/run/secrets/signet.dev", mounted.folder);
  // The test's own user is no role's namesake; and one role asks what `cert` would say.
  const hba = `hostssl all byname all cert\n${example("pg_hba.conf").replace(/ peer$/m, " trust")}`;
  const postgres = new Postgres({ port, config, hba });
  onTestFinished(() => postgres.remove());
  await postgres.start();
  await postgres.query(`${example("peer.sql")};
    CREATE TABLE public.orders (id int);
    INSERT INTO public.orders VALUES (1), (2);
    CREATE ROLE shop LOGIN PASSWORD '${PASSWORD}';
    CREATE ROLE byname LOGIN;
    GRANT SELECT ON public.orders TO shop;
    ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY holders ON public.orders USING (signet.is_holder());
    INSERT INTO signet.holders VALUES ('shop', '${idOf("front")}')`);
  return postgres;
}

type Login = Pick<Holder, "roots"> & { readonly svid?: string; readonly user?: string; readonly password?: string };

/** What psql, libpq's own client, says to a query over TLS; the chain of the server is verified. */
async function psql(port: number, { svid, roots, user = "shop", password = PASSWORD }: Login): Promise<string> {
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const own = svid === undefined ? "" : file("svid.pem", svid);
  const shown = own === "" ? "" : `sslcert=${own} sslkey=${own}`;
  const where = `host=127.0.0.1 port=${port} dbname=postgres user=${user} sslmode=verify-ca`;
  const connection = `${where} sslrootcert=${file("bundle.pem", roots)} ${shown}`;
  const asked = ["-AtX", "-c", "SELECT signet.peer(), count(*) FROM orders", connection];
  const run = promisify(execFile)("psql", asked, { env: { ...process.env, PGPASSWORD: password, HOME: folder } });
  return run.then(
    ({ stdout }) => stdout.trim(),
    (fault: { readonly stderr: string }) =>
      /(?:FATAL|SSL error|error): +(?!connection to)(.*)/.exec(fault.stderr)?.[1] ?? fault.stderr,
  );
}

/** A session of an application that verifies the server's SPIFFE ID itself. */
async function openSession(port: number, svid: string, roots: string): Promise<pg.Client> {
  const checkServerIdentity = (_host: string, { subjectaltname }: { readonly subjectaltname?: string }) =>
    subjectaltname?.split(", ").includes(`URI:${idOf("back")}`) ? undefined : new Error(`it is ${subjectaltname}`);
  const ssl = { key: svid, cert: svid, ca: roots, checkServerIdentity };
  const session = new pg.Client({
    host: "127.0.0.1",
    port,
    database: "postgres",
    user: "shop",
    password: PASSWORD,
    ssl,
  });
  onTestFinished(() => session.end());
  await session.connect();
  return session;
}

test("PostgreSQL knows the workload behind a connection, through a rotation of the authority", {
  timeout: 60_000,
}, async () => {
  const [old, next, foreign] = await Promise.all([makeAuthority(), makeAuthority(), makeAuthority()]);
  const port = await freePort();
  const mounted = await mountedFor("back", old, POSTGRES_USER);
  const postgres = await startDatabase(mounted, port);
  const { host } = postgres.settings;
  const asked = ["-h", host, "-p", String(port), "-U", "signet", "-d", "postgres", "-qc", "SELECT pg_reload_conf()"];
  startReload(mounted, ["psql", ...asked]);
  const login = async (account: Account, by: Authority, roots = old.root): Promise<Login> => ({
    svid: await by.issueTo(account),
    roots,
  });

  const front = await login("front", old);
  expect(await psql(port, front)).toBe(`${idOf("front")}|2`);
  expect(await psql(port, await login("other", old))).toBe(`${idOf("other")}|0`);
  expect(await psql(port, { ...front, password: "guessed" })).toBe('password authentication failed for user "shop"');
  expect(await psql(port, { roots: old.root })).toBe("connection requires a valid client certificate");
  expect(await psql(port, await login("front", foreign))).toBe("tlsv1 alert unknown ca");
  expect(await psql(port, { ...front, user: "byname" })).toBe('certificate authentication failed for user "byname"');
  expect(postgres.log).toContain(
    'certificate authentication failed for user "byname": client certificate contains no user name',
  );

  const session = await openSession(port, front.svid ?? "", old.root);
  const peer = async () => (await session.query("SELECT signet.peer(), pg_backend_pid()")).rows;
  const before = await peer();
  expect(before).toMatchObject([{ peer: idOf("front") }]);
  mounted.write("trust", old.root + next.root);
  const newer = await login("front", next, old.root + next.root);
  await expect.poll(() => psql(port, newer), POLL).toBe(`${idOf("front")}|2`);
  mounted.write("svid", await next.issueTo("back"));
  await expect.poll(() => psql(port, { ...newer, roots: next.root }), POLL).toBe(`${idOf("front")}|2`);
  mounted.write("trust", next.root);
  await expect.poll(() => psql(port, { ...front, roots: next.root }), POLL).toBe("tlsv1 alert unknown ca");
  expect(await peer()).toEqual(before);
});
