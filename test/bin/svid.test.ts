import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

/** Each command starts a Node of its own, which takes its time on a busy machine. */
const SLOW = 120_000;
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const ID = "spiffe://example.org/ns/pay/sa/db";

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db}, spec: {segment: payments, match: {serviceAccounts: [db], kinds: [Machine]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, metadata: {name: vm-7, namespace: pay}, spec: {kind: Machine, serviceAccount: db}}
`;

let folder: string;
let server: ChildProcess;
let url = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
  mkdirSync(join(folder, "catalogue"));
  writeFileSync(join(folder, "catalogue", "all.yaml"), CATALOGUE);
  const args = [CLI, "server", "--listen", "127.0.0.1:0", "--state", "state", "--catalogue", "catalogue"];
  server = spawn(process.execPath, args, { cwd: folder });
  let said = "";
  server.stdout?.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  const found = () => (url = /https:\/\/\S+?(?=\/readyz)/.exec(said)?.[0] ?? "");
  await vi.waitFor(() => expect(found()).toMatch(/^https/), { timeout: SLOW });
}, SLOW);

afterAll(async () => {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true });
}, SLOW);

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
const svid = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) =>
    execFile(process.execPath, [CLI, "svid", ...args], { cwd: folder }, (fault, stdout, stderr) =>
      resolve({ code: fault ? Number(fault.code) : 0, stdout, stderr }),
    ),
  );

const fetch = () => svid("fetch", "--server", url, "--token-file", "invitation", "--ca", "state/serving/ca.crt");

test("an invited machine fetches its certificate once, and whoever is shown it can verify it", {
  timeout: SLOW,
}, async () => {
  const invited = await svid("invite", "pay/vm-7", "--state", "state");
  expect(invited).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]{43}\n$/) as string });
  writeFileSync(join(folder, "invitation"), invited.stdout);
  expect(await fetch()).toEqual({ code: 0, stdout: `${ID}\n`, stderr: "" });
  expect((statSync(join(folder, "svid.pem")).mode & 0o777).toString(8)).toBe("600");
  const shown = await svid("show", "svid.pem");
  expect(shown.stdout).toMatch(
    new RegExp(`^identity  ${ID}\nserial    [0-9a-f]{32}\nholds     .* to .*\nkey       ec prime256v1\n$`),
  );
  expect(await svid("verify", "svid.pem", "--bundle", "bundle.pem", "--trust-domain", "example.org")).toEqual(shown);
  const renewed = await svid("fetch", "--server", url, "--svid", "svid.pem", "--ca", "state/serving/ca.crt");
  expect(renewed).toEqual({ code: 0, stdout: `${ID}\n`, stderr: "" });
  expect((await svid("show", "svid.pem")).stdout).not.toBe(shown.stdout);
  const elsewhere = await svid("verify", "svid.pem", "--bundle", "bundle.pem", "--trust-domain", "example.net");
  expect([elsewhere.code, elsewhere.stderr]).toMatchObject([3, expect.stringContaining("[SVID_INVALID]")]);
  expect(await fetch()).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(
      "The server refused: The invitation is not known, was used, or has ended.",
    ) as string,
  });
  for (const kept of ["authorities", "tokens"])
    expect((statSync(join(folder, "state", kept, "authorities.sealed")).mode & 0o777).toString(8)).toBe("600");
});

test("what is no certificate, and no name, is told in words", { timeout: SLOW }, async () => {
  expect(await svid("show", "catalogue/all.yaml")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("There is no certificate that can be read. [SVID_INVALID]") as string,
  });
  expect(await svid("fetch", "--server", url, "--ca", "state/serving/ca.crt")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Who asks is not said, or said twice. [USAGE]") as string,
  });
  expect(await svid("invite", "vm-7")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('"vm-7" is not NAMESPACE/NAME. [USAGE]') as string,
  });
});
