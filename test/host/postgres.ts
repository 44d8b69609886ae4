import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { freePort } from "../fakes/free-port.ts";
import type { DatabaseSettings } from "../../src/store/postgres/settings.ts";

/** PostgreSQL does not run as root: then it runs as the user that owns nothing. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Debian keeps servers out of PATH, by version. */
function bin(program: string): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : [];
  const folders = [...versions.toSorted().toReversed(), ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? program;
}

const asUser = (program: string, args: readonly string[]): [string, string[]] =>
  isRoot
    ? ["setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--", bin(program), ...args]]
    : [bin(program), [...args]];

/** By what it takes calls over TCP: its certificate and key, PEM, and the password of its user. */
export type Tcp = { readonly cert: string; readonly key: string; readonly password: string };

/** On loopback only by TLS and with the password; on its socket as before. */
const HBA = `local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
`;

/** A PostgreSQL of the test's own, on a Unix socket that only the test knows. */
export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), "signet-pg-"));
  #server: ChildProcess | undefined;
  #listens: readonly string[] = ["-c", "listen_addresses="];
  settings: DatabaseSettings = { host: this.#folder, port: 5432, name: "postgres", user: "signet" };

  constructor() {
    if (isRoot) chownSync(this.#folder, NOBODY, NOBODY);
    mkdirSync(join(this.#folder, "data"));
    if (isRoot) chownSync(join(this.#folder, "data"), NOBODY, NOBODY);
    const options = ["-U", "signet", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    const [command, args] = asUser("initdb", ["-D", join(this.#folder, "data"), ...options]);
    execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"], cwd: "/" });
  }

  /** Starts it, and waits until it answers; one that was killed leaves processes behind that have to end first. */
  async start(): Promise<void> {
    for (const until = Date.now() + 60_000; ; await pause(100)) {
      const [command, args] = asUser("postgres", [
        "-D",
        join(this.#folder, "data"),
        "-k",
        this.#folder,
        ...this.#listens,
        "-c",
        "fsync=off",
      ]);
      const server = spawn(command, args, { stdio: "ignore", cwd: "/" });
      this.#server = server;
      if (await this.#answers(server)) return;
      if (Date.now() > until) throw new Error("PostgreSQL does not start");
    }
  }

  async #answers(server: ChildProcess): Promise<boolean> {
    while (server.exitCode === null && server.signalCode === null) {
      const answer = await this.query("SELECT 1").catch(() => undefined);
      if (answer) return true;
      await pause(50);
    }
    return false;
  }

  /** Asks it as its owner. */
  async query(text: string): Promise<readonly Record<string, unknown>[]> {
    const { host, port, name, user } = this.settings;
    const client = new pg.Client({ host, port, database: name, user });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<Record<string, unknown>>(text);
      return rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Lets it take calls on loopback too, from its next start on; gives the port. */
  async openTcp({ cert, key, password }: Tcp): Promise<number> {
    await this.query(`ALTER USER signet PASSWORD '${password}'`);
    const write = (name: string, text: string): void => {
      const path = join(this.#folder, "data", name);
      writeFileSync(path, text, { mode: 0o600 });
      if (isRoot) chownSync(path, NOBODY, NOBODY);
    };
    write("server.crt", cert);
    write("server.key", key);
    write("pg_hba.conf", HBA);
    const port = await freePort();
    this.#listens = ["-c", "listen_addresses=127.0.0.1", "-c", `port=${port}`, "-c", "ssl=on"];
    this.settings = { ...this.settings, port };
    return port;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    // Its processes notice the end of the first one, and write until then.
    for (let tries = 0; tries < 100; tries += 1) {
      try {
        rmSync(this.#folder, { recursive: true, force: true });
        return;
      } catch {
        await pause(50);
      }
    }
  }
}
