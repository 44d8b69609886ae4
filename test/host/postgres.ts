import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
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

/** The user that PostgreSQL runs as. */
export const POSTGRES_USER = isRoot ? NOBODY : process.getuid?.();

/** Where it listens on loopback besides, and the texts of a configuration file and of pg_hba.conf. */
export type PostgresOptions = { readonly port: number; readonly config: string; readonly hba: string };

/** A PostgreSQL of the test's own, on a Unix socket that only the test knows. */
export class Postgres {
  readonly #folder = mkdtempSync(join(tmpdir(), "signet-pg-"));
  #server: ChildProcess | undefined;
  readonly settings: DatabaseSettings;
  readonly #flags: readonly string[];
  #log = "";

  constructor(options?: PostgresOptions) {
    const { port = 5432 } = options ?? {};
    this.settings = { host: this.#folder, port, name: "postgres", user: "signet" };
    this.#flags = ["-c", `port=${port}`, "-c", `listen_addresses=${options ? "127.0.0.1" : ""}`];
    if (isRoot) chownSync(this.#folder, NOBODY, NOBODY);
    mkdirSync(join(this.#folder, "data"));
    if (isRoot) chownSync(join(this.#folder, "data"), NOBODY, NOBODY);
    const choices = ["-U", "signet", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    const [command, args] = asUser("initdb", ["-D", join(this.#folder, "data"), ...choices]);
    execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"], cwd: "/" });
    if (!options) return;
    appendFileSync(join(this.#folder, "data/postgresql.conf"), options.config);
    writeFileSync(join(this.#folder, "data/pg_hba.conf"), options.hba);
  }

  /** What it wrote to its log. */
  get log(): string {
    return this.#log;
  }

  /** Starts it, and waits until it answers; one that was killed leaves processes behind that have to end first. */
  async start(): Promise<void> {
    for (const until = Date.now() + 60_000; ; await pause(100)) {
      const [command, args] = asUser("postgres", [
        "-D",
        join(this.#folder, "data"),
        "-k",
        this.#folder,
        ...this.#flags,
        "-c",
        "fsync=off",
      ]);
      const server = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], cwd: "/" });
      server.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        this.#log += chunk;
      });
      this.#server = server;
      if (await this.#answers(server)) return;
      if (Date.now() > until) throw new Error(`PostgreSQL does not start:\n${this.#log}`);
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
