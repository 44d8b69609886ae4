import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { keyFileSealing, sealedFile } from "../../src/ca/keys/sealed-file.ts";
import { blocksOf, runScript } from "../api/runbook.ts";
import { handClock, keeperOver, workAll } from "../fakes/vault.ts";

/** Each command starts a Node of its own, which takes its time on a busy machine. */
const SLOW = 120_000;
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const CATALOGUE =
  "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}\n";

let folder: string;
let server: ChildProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-runbook-"));
  for (const name of ["catalogue", "bin"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "catalogue", "all.yaml"), CATALOGUE);
  writeFileSync(join(folder, "passphrase"), `${randomBytes(12).toString("hex")}\n`);
  writeFileSync(join(folder, "bin", "signet"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  chmodSync(join(folder, "bin", "signet"), 0o755);
});

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
}, SLOW);

/** Starts the server; resolves when it has said where its authorities stand. */
async function start(): Promise<void> {
  const said = join(folder, ".signet", "authorities", "status.json");
  rmSync(said, { force: true });
  const args = [CLI, "server", "--listen", "127.0.0.1:0", "--state", ".signet", "--catalogue", "catalogue"];
  server = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  const isActive = (): void => expect(readFileSync(said, "utf8")).toContain('"state":"active"');
  await vi.waitFor(isActive, { timeout: SLOW, interval: 50 });
}

async function stop(): Promise<void> {
  const child = server;
  server = undefined;
  if (!child || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** What a script printed; undefined where it failed. */
async function run(script: string): Promise<string> {
  const path = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const { code, output } = await runScript(script, folder, { PATH: path });
  expect(code, `${script}\n${output}`).toBe(0);
  return output;
}

/** The blocks of a page, in order. */
const scriptsOf = (page: string): readonly string[] => blocksOf(`runbooks/${page}`).map(({ script }) => script);
const states = (output: string): readonly string[] =>
  [...output.matchAll(/^[0-9a-f]{16} +(\w+)/gm)].map(([, state = ""]) => state);

describe("an expired root", () => {
  test("is replaced when the server starts, and signs at once", { timeout: SLOW }, async () => {
    const state = join(folder, ".signet");
    mkdirSync(join(state, "authorities"), { recursive: true, mode: 0o700 });
    const past = { ...handClock(), wall: Date.now() - 400 * 86_400_000 };
    await workAll(
      keeperOver(sealedFile(join(state, "authorities"), keyFileSealing(join(state, "authority.key"))), past),
    );
    await start();
    const [look = ""] = scriptsOf("expired-root.md");
    expect(states(await run(look))).toEqual(["revoked", "active"]);
  });
});

describe("a rotation", () => {
  test("is planned, asked for, watched, paused, resumed and taken back", { timeout: SLOW }, async () => {
    const [plan = "", ask = "", pause = "", withdraw = ""] = scriptsOf("rotation.md");
    expect(await run(plan)).toContain("4. activate");
    expect(states(await run(ask))).toEqual(["revoked", "active", "published"]);
    expect(await run(pause)).toBe("Done. `signet ca status` shows what follows.\n".repeat(2));
    await run(withdraw);
    expect(states(await run("signet ca status --state .signet"))).toEqual(["revoked", "active", "revoked"]);
  });
});

describe("an offline root", () => {
  test("is made, asked, and its chain taken", { timeout: SLOW }, async () => {
    const outputs: string[] = [];
    for (const script of scriptsOf("offline-root.md")) outputs.push(await run(script));
    expect(outputs[0]).toMatch(/^Root of example\.org: key [0-9a-f]{40}, until /);
    expect(outputs.at(-1)).toMatch(/^Taken: /);
    expect(states(outputs.at(-1) ?? "")).toEqual(["revoked", "active", "revoked", "published"]);
  });
});

describe("a stolen key", () => {
  test("is said with a plan first, and then another authority signs at once", { timeout: SLOW }, async () => {
    const [plan = "", now = "", tokens = ""] = scriptsOf("compromise.md").slice(-3);
    expect(await run(plan)).toContain("Nothing was done. With --yes it is.");
    const output = await run(now);
    expect(states(output)).toEqual(["revoked", "revoked", "revoked", "active"]);
    expect(output).toContain("revoked, STOLEN");
    expect(await run(tokens)).toMatch(/Nothing was done\. With --yes it is\.\n[^]*\nDone\.\n$/);
  });
});

describe("a ledger that is broken", () => {
  test("is moved away, and a new one is begun beside the same authorities", { timeout: SLOW }, async () => {
    const [verify = "", move = "", rotate = ""] = scriptsOf("lost-ledger.md");
    expect(await run(verify)).toContain("The ledger verifies: ");
    const before = states(await run("signet ca status --state .signet"));
    await stop();
    await run(move);
    await start();
    expect(states(await run("signet ca status --state .signet"))).toEqual(before);
    for (const state of [".signet", "ledger-broken"])
      expect(await run(`signet ledger verify --state ${state}`)).toContain("The ledger verifies: ");
    await run(rotate);
    expect(states(await run("signet ca status --state .signet"))).toEqual([...before, "published"]);
  });
});

describe("authorities that are lost", () => {
  test("are moved away, and a new one signs; the ledger has what became of the old ones", {
    timeout: SLOW,
  }, async () => {
    const [steps = "", move = ""] = scriptsOf("lost-authority.md");
    expect(await run(steps)).toContain("publish");
    await stop();
    await run(move);
    await start();
    expect(states(await run("signet ca status --state .signet"))).toEqual(["active"]);
  });
});
