import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import supertest from "supertest";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pod, responseOf, review, stampIn } from "../fakes/web.ts";

/** Each test starts Nodes of its own, which takes its time on a busy machine. */
const SLOW = 60_000;
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");

let folder: string;
let running: Running[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
  running = [];
});
afterEach(async () => {
  for (const one of running) one.child.kill("SIGKILL");
  await Promise.all(running.map((one) => one.ended));
  rmSync(folder, { recursive: true });
});

type Running = {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>;
  readonly post: (path: string, body: object) => Promise<ReturnType<typeof responseOf>>;
};

const cli = (...args: readonly string[]) =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", cwd: folder, timeout: 20_000 });

const begin = promisify(execFile);
/** Starts a command that is to fail, so that several can fail at one time. */
const failing = (...args: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> =>
  begin(process.execPath, [CLI, ...args], { cwd: folder, timeout: 20_000 }).then(
    () => ({ code: 0, stderr: "" }),
    (fault: { code: number; stderr: string }) => fault,
  );

/** Starts `signet server` with a state folder of its own, and waits until it says that it is ready. */
async function serve(...args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [CLI, "server", "--listen", "127.0.0.1:0", "--state", "state", ...args], {
    cwd: folder,
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => void (said.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => void (said.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const base = () => /https:\/\/\S+?(?=\/readyz)/.exec(said.out)?.[0] ?? "";
  const authority = () => readFileSync(join(folder, "state", "serving", "ca.crt"), "utf8");
  const one: Running = {
    child,
    out: () => said.out,
    err: () => said.err,
    ended,
    get: (path) => supertest(base()).get(path).ca(authority()),
    post: async (path, body) => responseOf((await supertest(base()).post(path).ca(authority()).send(body)).body),
  };
  running.push(one);
  await vi.waitFor(() => expect(said.out).toContain("Try:"), { timeout: 30_000, interval: 20 });
  return one;
}

test("one command brings up a working server that says what to try, and Ctrl-C ends it cleanly", {
  timeout: SLOW,
}, async () => {
  const server = await serve();
  expect(server.out()).toMatch(/^Signet is ready after \d+\.\d\d s\.\n/);
  expect((await server.get("/readyz")).text).toMatch(/^\[\+\] catalogue: revision [0-9a-f]{12}\n\[\+\] ledger\n/);

  const [first = "", second = ""] = server.out().split("Try:\n")[1]?.split("\n") ?? [];
  // Started through npm, it says how to go on through npm.
  const words = (line: string): string[] => line.replace(/^ *(npm run -s signet --|signet) /, "").split(" ");
  const tried = [first, second].map((line) => cli(...words(line)));
  expect(tried.map(({ status }) => status)).toEqual([0, 3]);
  expect(cli("lint", "--catalogue", "state/catalogue").stdout).not.toMatch(/error|warning:/i);

  const mutated = stampIn(await server.post("/mutate", review()));
  expect(mutated["signet.dev/spiffe-id"]).toBe("spiffe://example.org/ns/shop/sa/cart");
  const stranger = review({
    object: pod({ name: "stray-1" }, { serviceAccountName: "default" }),
    userInfo: { username: "alice" },
  });
  expect((await server.post("/validate", stranger)).allowed).toBe(false);
  expect((await server.get("/metrics")).text).toContain('signet_reviews_total{webhook="validate",outcome="deny"} 1');

  server.child.kill("SIGINT");
  expect(await server.ended).toBe(0);
  expect(server.err()).toContain("The server has ended.");

  expect(cli("ledger", "verify", "--state", "state")).toMatchObject({ status: 0 });
  const shown = cli("ledger", "show", "--state", "state", "--kind", "verdict", "--output", "json").stdout;
  expect(
    shown
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { subject: string }).subject),
  ).toEqual(["Pod shop/cart-*", "Pod shop/stray-1"]);
  const why = cli("why", "pod/stray-1", "-n", "shop", "--at", "2999-01-01T00:00:00Z", "--state", "state");
  expect(why.stdout).toContain("asked by alice");
  expect(why.stdout).toContain("ROLE_NONE");
  expect(why.stdout).toContain("the same verdict");
});

test("a verdict of the past is given as it was then, though the catalogue has changed", { timeout: SLOW }, async () => {
  const server = await serve();
  const object = pod({ name: "late-1" }, { serviceAccountName: "late" });
  const roleNow = async () => stampIn(await server.post("/mutate", review({ object })))["signet.dev/role"];
  expect(await roleNow()).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const between = new Date().toISOString();
  const role =
    "apiVersion: signet.dev/v1alpha1\nkind: WorkloadRole\nmetadata: {name: late}\nspec: {segment: shop, match: {serviceAccounts: [late]}}\n";
  writeFileSync(join(folder, "state", "catalogue", "late.yaml"), role);
  await vi.waitFor(async () => expect(await roleNow()).toBe("late"), { timeout: 10_000, interval: 50 });
  server.child.kill("SIGTERM");
  await server.ended;
  const at = (moment: string) => cli("why", "pod/late-1", "-n", "shop", "--at", moment, "--state", "state").stdout;
  expect(at(between)).toMatch(/^deny {3}Pod shop\/late-1 {2}no role/);
  expect(at("2999-01-01T00:00:00Z")).toMatch(/^admit {2}Pod shop\/late-1 {2}role late/);
});

test("a server that requires signatures counts its grants while they are there, and replays what it said by them", {
  timeout: SLOW,
}, async () => {
  mkdirSync(join(folder, "grants"));
  mkdirSync(join(folder, "policy"));
  const spec = `{permit: {check: hostPID}, workloads: {role: cart}, reason: r, expires: "${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}Z"}`;
  const catalogue = [
    '{apiVersion: v1, kind: Namespace, metadata: {name: shop, uid: u-1, labels: {signet.dev/enrol: "true"}}}',
    "{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}",
    "{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart}, spec: {segment: shop, match: {serviceAccounts: [cart]}}}",
    `{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {namespace: shop, name: look}, spec: &s ${spec}, status: {approved: {generation: 1, by: [eve], spec: *s}}}`,
  ];
  writeFileSync(join(folder, "policy", "all.yaml"), catalogue.join("\n---\n"));
  writeFileSync(join(folder, "keys.json"), cli("exceptions", "keygen", "--out", "grant.key").stdout);
  const granted = cli("exceptions", "grant", "look", "-n", "shop", "-c", "policy", "--key", "grant.key");
  const flags = "--catalogue policy --grants grants --grant-keys keys.json --require-signed-grants";
  const server = await serve(...flags.split(" "));
  const annotations = { "signet.dev/exception": "look" };
  const ask = () =>
    server.post(
      "/mutate",
      review({ object: pod({ name: "look-1", annotations }, { serviceAccountName: "cart", hostPID: true }) }),
    );
  expect((await ask()).auditAnnotations?.["problems"]).toBe("HOST_PID,EXCEPTION_UNSIGNED");
  const why = () => cli("why", "pod/look-1", "-n", "shop", "--at", "2999-01-01T00:00:00Z", "--state", "state").stdout;
  // The ledger is written behind the answer.
  await vi.waitFor(
    () => expect(why()).toContain('Exception "look" is not granted by a signature, and nothing else counts here.'),
    { timeout: 10_000, interval: 50 },
  );
  writeFileSync(join(folder, "grants", "look.jws"), granted.stdout);
  await vi.waitFor(async () => expect((await ask()).auditAnnotations?.["problems"]).toBeUndefined(), {
    timeout: 10_000,
    interval: 50,
  });
  expect((await server.get("/readyz")).text).toContain("[+] grants: 1 count\n");
  server.child.kill("SIGTERM");
  await server.ended;
  expect(why()).toMatch(/^admit {2}Pod shop\/look-1 {2}role cart.*the same verdict/s);
});

test("a broken catalogue leaves the last good one in force and says so; at the start it waits to be mended", {
  timeout: SLOW,
}, async () => {
  const server = await serve();
  writeFileSync(join(folder, "state", "catalogue", "broken.yaml"), "kind: [\n");
  await vi.waitFor(async () => expect((await server.get("/readyz")).text).toContain("warning: 1 problems"), {
    timeout: 10_000,
  });
  expect((await server.get("/readyz")).status).toBe(200);
  expect(stampIn(await server.post("/mutate", review()))["signet.dev/role"]).toBe("cart");
  expect(server.err()).toContain("The catalogue cannot be read; the last good state stays in force.");
  server.child.kill("SIGTERM");
  await server.ended;

  const again = await serve();
  expect(again.out()).toContain("NOT READY");
  expect(again.out()).toContain("broken.yaml:2:1");
  expect((await again.get("/readyz")).status).toBe(503);
  rmSync(join(folder, "state", "catalogue", "broken.yaml"));
  await vi.waitFor(async () => expect((await again.get("/readyz")).status).toBe(200), { timeout: 10_000 });
});

test("after kill -9 it starts again, with the same authority, and the ledger verifies", { timeout: SLOW }, async () => {
  const first = await serve();
  const authority = readFileSync(join(folder, "state", "serving", "ca.crt"), "utf8");
  for (let number = 0; number < 20; number++) await first.post("/mutate", review({ uid: `u${number}` }));
  first.child.kill("SIGKILL");
  await first.ended;
  const second = await serve();
  expect((await second.post("/mutate", review())).allowed).toBe(true);
  expect(readFileSync(join(folder, "state", "serving", "ca.crt"), "utf8")).toBe(authority);
  expect(JSON.parse(cli("ledger", "verify", "--state", "state", "--output", "json").stdout)).toMatchObject({
    verifies: true,
    chains: 2,
  });
});

test("what keeps it from starting is said in words, with exit code 2", { timeout: SLOW }, async () => {
  const first = await serve();
  const port = /127\.0\.0\.1:(\d+)\/readyz/.exec(first.out())?.[1] ?? "";
  writeFileSync(join(folder, "bad.yaml"), "listen: 127.0.0.1:0\nlisten_on: x\n");
  const refused = await Promise.all([
    failing("server", "--listen", "127.0.0.1:0", "--state", "state"),
    failing("server", "--listen", `127.0.0.1:${port}`, "--state", "other"),
    failing("server", "--config", "bad.yaml"),
    failing("server", "--config", "none.yaml"),
    failing("config", "check", "bad.yaml"),
  ]);
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
  expect(refused.map(({ stderr }) => stderr.split("\n").find((line) => line.startsWith("signet: ")))).toEqual([
    "signet: state: Another server uses the state folder state. [USAGE]",
    `signet: listen: Port ${port} of 127.0.0.1 is taken. [USAGE]`,
    'signet: bad.yaml:2:1: listen_on: There is no field "listen_on" here. [FIELD_UNKNOWN]',
    'signet: --config: "none.yaml" could not be read. [FILE_UNREADABLE]',
    'signet: bad.yaml:2:1: listen_on: There is no field "listen_on" here. [FIELD_UNKNOWN]',
  ]);
});

test("no key is ever in what it says, nor anything secret that it was sent", { timeout: SLOW }, async () => {
  writeFileSync(join(folder, "signet.yaml"), "log: {level: debug, format: json}\n");
  const server = await serve("--config", "signet.yaml");
  const object = pod(
    { name: "p", annotations: { "kubectl.kubernetes.io/last-applied-configuration": "s3cret-annotation" } },
    {
      containers: [{ name: "c", image: "x", env: [{ name: "PASSWORD", value: "s3cret-env" }] }],
    },
  );
  await server.post("/mutate", review({ object }));
  await server.get("/nowhere?token=s3cret-query");
  const metrics = (await server.get("/metrics")).text;
  server.child.kill("SIGTERM");
  await server.ended;
  const state = readdirSync(join(folder, "state")).filter((name) => name.startsWith("ledger.db"));
  const ledger = state.map((name) => readFileSync(join(folder, "state", name)).toString("latin1")).join();
  const everything = [server.out(), server.err(), metrics, ledger].join();
  expect(everything).not.toMatch(/s3cret|PRIVATE KEY/);
  expect(server.err()).toContain("A review was answered.");
});

/** What `signet ca status -o json` says, once there is a status. */
const caStatus = (): { readonly authorities: readonly { readonly state: string }[] } | undefined => {
  const { stdout } = cli("ca", "status", "--state", "state", "-o", "json");
  return stdout === "" ? undefined : (JSON.parse(stdout) as ReturnType<typeof caStatus>);
};
const states = () => caStatus()?.authorities.map(({ state }) => state);

test("a server makes its authority on first run, follows what `signet ca rotate` asks for, and goes on after kill -9", {
  timeout: SLOW,
}, async () => {
  const patient = { timeout: 40_000, interval: 200 };
  const first = await serve();
  await vi.waitFor(() => expect(states()).toEqual(["active"]), patient);
  expect(cli("ca", "rotate", "--state", "state").status).toBe(0);
  await vi.waitFor(() => expect(states()).toEqual(["active", "published"]), patient);
  first.child.kill("SIGKILL");
  await first.ended;
  const again = await serve();
  expect(cli("ca", "rotate", "--withdraw", "--state", "state").status).toBe(0);
  await vi.waitFor(() => expect(states()).toEqual(["active", "revoked"]), patient);
  const keyNames = async (path: string) =>
    (JSON.parse((await again.get(path)).text) as { keys: readonly { readonly kid?: string }[] }).keys.flatMap(
      ({ kid = [] }) => kid,
    );
  const [stolen = ""] = await keyNames("/keys");
  expect(cli("ca", "rotate", "--tokens", "--compromised", "--yes", "--state", "state")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/\n\nDone\.\n$/) as string,
  });
  const [made = ""] = await keyNames("/keys");
  expect([await keyNames("/keys"), await keyNames("/v1/bundle")]).toEqual([[made], [made]]);
  expect(made).not.toBe(stolen);
  again.child.kill("SIGINT");
  expect(await again.ended).toBe(0);
  const shown = cli("ledger", "show", "--state", "state", "--kind", "authority", "--output", "json").stdout;
  expect(shown).toContain(`"tokenKeys":["${stolen}"]`);
  const steps = shown.split("\n").filter((line) => line !== "");
  expect(steps.map((line) => (JSON.parse(line) as { body: { step: string } }).body.step)).toEqual([
    "prepare",
    "publish",
    "confirm",
    "activate",
    "request",
    "prepare",
    "publish",
    "confirm",
    "withdraw",
    "condemnTokens",
  ]);
  const files = ["authorities/authorities.sealed", "authorities/status.json", "ledger.db"];
  for (const file of files) expect(readFileSync(join(folder, "state", file), "latin1")).not.toContain("PRIVATE KEY");
});
