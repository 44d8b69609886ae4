import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { blocksOf, runScript } from "../api/runbook.ts";

const SLOW = 120_000;
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");

let folder: string;
let server: ChildProcess;
let url = "";
let log = "";
const outputs: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/signet"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, { mode: 0o755 });
  server = spawn(process.execPath, [CLI, "server", "--listen", "127.0.0.1:0"], { cwd: folder });
  let said = "";
  server.stdout?.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  server.stderr?.on("data", (chunk: Buffer) => void (log += chunk.toString()));
  const found = () => (url = /https:\/\/\S+?(?=\/readyz)/.exec(said)?.[0] ?? "");
  await vi.waitFor(() => expect(found()).toMatch(/^https/), { timeout: SLOW });
  const active = () => readFileSync(join(folder, ".signet/authorities/status.json"), "utf8").includes('"active"');
  await vi.waitFor(() => expect(active()).toBe(true), { timeout: SLOW });
}, SLOW);

afterAll(async () => {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
}, SLOW);

const svid = (): string => readFileSync(join(folder, "svid/svid.pem"), "utf8");

describe("the page on certificates, word by word, for a machine", () => {
  test.each(blocksOf("certificates.md"))("$title", { timeout: SLOW }, async ({ script }) => {
    const env = { PATH: `${folder}/bin:${process.env["PATH"]}` };
    const before = existsSync(join(folder, "svid/svid.pem")) ? svid() : "";
    const ran = await runScript(script.replaceAll("https://127.0.0.1:8443", url), folder, env);
    expect(ran).toMatchObject({ code: 0 });
    // Somebody who reads is slower than the server, which reads the folder a moment later.
    await vi.waitFor(() => expect(log).toContain('"roles":4'), { timeout: SLOW });
    outputs.push(ran.output);
    if (script.includes("svid fetch")) expect(svid()).not.toBe(before);
  });

  test("and it has the name that the catalogue gives it, twice", () => {
    const id = "spiffe://example.org/ns/shop/sa/db-vm";
    const [, , fetched = "", renewed] = outputs;
    const shown = [id, `identity  ${id}`, `identity  ${id}`];
    expect(fetched.split("\n").filter((line) => line.includes(id))).toEqual(shown);
    expect(renewed).toBe(`${id}\n`);
  });
});
