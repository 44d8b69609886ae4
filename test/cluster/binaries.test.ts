import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BinarySources, findBinaries, MissingBinary, sourcesFromEnvironment } from "./binaries.ts";
import { processesNaming } from "./leftovers.ts";
import { cacheKey, RECIPES } from "./recipes.ts";

const BUILD_MS = 120_000;
const STUB_MODULE = "go.etcd.io/etcd/server/v3";

let folder: string;
let log: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signet-binaries-"));
  log = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Module files that build in a second what calls itself etcd and kube-apiserver. */
async function tinyModules(main = 'func main() { println("tiny") }'): Promise<string> {
  const goFolder = join(folder, "go");
  const requirement = `require ${STUB_MODULE} v3.7.3\nreplace ${STUB_MODULE} => ./stub\n`;
  await put(join(goFolder, "etcd/go.mod"), `module tiny\ngo 1.26\n${requirement}`);
  await put(join(goFolder, "etcd/go.sum"), "");
  await put(join(goFolder, "etcd/main.go"), `package main\n${main}\n`);
  await put(join(goFolder, "etcd/stub/go.mod"), `module ${STUB_MODULE}\ngo 1.26\n`);
  await put(join(goFolder, "kubernetes/go.mod"), "module tiny\nrequire k8s.io/kubernetes v1.37.2\n");
  await put(join(goFolder, "kubernetes/go.sum"), "");
  await put(join(goFolder, "kubernetes/tools.go"), "");
  return goFolder;
}

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function sources(changes: Partial<BinarySources> = {}): Promise<BinarySources> {
  const goFolder = changes.goFolder ?? (await tinyModules());
  return { assets: undefined, cache: join(folder, "cache"), mirrors: "off", ...changes, goFolder };
}

const note = (line: string) => log.push(line);

/** What the cache holds, the lock file aside. */
async function cached(): Promise<readonly string[]> {
  const all = await readdir(join(folder, "cache"), { recursive: true });
  return all.filter((name) => !name.startsWith("building.lock")).sort();
}

/** A mirror of Kubernetes releases that serves these paths, with a count of the requests. */
async function mirror(files: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const text = files[request.url ?? ""];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const base = `http://127.0.0.1:${port}`;
  return { asked, mirrors: { kubernetes: base, etcd: base }, close: () => server.close() };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const ARCH = process.arch === "x64" ? "amd64" : process.arch;
const SERVER_PATH = `/v1.37.2/bin/linux/${ARCH}/kube-apiserver`;

test("a binary in KUBEBUILDER_ASSETS is taken from there, and what is not there is named", async () => {
  const assets = join(folder, "assets");
  await put(join(assets, "kube-apiserver"), "");
  await chmod(join(assets, "kube-apiserver"), 0o755);
  const given = await sources({ assets });
  const found = await findBinaries(["kube-apiserver", "etcd"], given, note);
  expect([...found]).toEqual([
    ["kube-apiserver", join(assets, "kube-apiserver")],
    ["etcd", join(given.cache, cacheKey(RECIPES.etcd.module, given.goFolder), "etcd")],
  ]);
  expect(log.at(-1)).toBe("not in KUBEBUILDER_ASSETS, so taken from the cache: etcd");
});

test("a released binary is downloaded when its published sum is right", async () => {
  const site = await mirror({ [SERVER_PATH]: "#!/bin/sh\n", [`${SERVER_PATH}.sha256`]: `${sha256("#!/bin/sh\n")}\n` });
  try {
    const found = await findBinaries(["kube-apiserver"], await sources({ mirrors: site.mirrors }), note);
    expect(await readFile(found.get("kube-apiserver") ?? "", "utf8")).toBe("#!/bin/sh\n");
    expect(log).toEqual(["kube-apiserver (1 of 1): downloaded in 0 s"]);
    expect(site.asked).toEqual([`${SERVER_PATH}.sha256`, SERVER_PATH]);
  } finally {
    site.close();
  }
});

test("a download whose sum differs is not used", { timeout: BUILD_MS }, async () => {
  const site = await mirror({ [SERVER_PATH]: "changed", [`${SERVER_PATH}.sha256`]: sha256("released") });
  try {
    const asked = findBinaries(["kube-apiserver"], await sources({ mirrors: site.mirrors }), note);
    // The tiny module has no such package, so building fails too, and says so.
    await expect(asked).rejects.toThrow(/^go build/);
    expect(log[0]).toBe(
      `no download of kubernetes: kube-apiserver has SHA-256 ${sha256("changed")}, published is ${sha256("released")}`,
    );
    expect(await cached()).toEqual([]);
  } finally {
    site.close();
  }
});

test("a site that does not answer costs less than three seconds, once", { timeout: BUILD_MS }, async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  try {
    const began = Date.now();
    const given = await sources({ mirrors: { kubernetes: base, etcd: base } });
    const refusals: number[] = [];
    await findBinaries(["etcd"], given, (line) => {
      if (line.startsWith("no download")) refusals.push(Date.now() - began);
    });
    expect(refusals).toEqual([expect.closeTo(2_500, -3)]);
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

test("without Go, download and cache, one sentence says what is missing and what to do", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = folder;
  try {
    await expect(findBinaries(["etcd"], await sources(), note)).rejects.toThrow(
      new MissingBinary(
        `etcd v3.7.3 is missing: KUBEBUILDER_ASSETS is not set, it is not in the cache ${join(folder, "cache")}, ` +
          "downloads are off, and there is no `go` command to build it. Install Go 1.26 or newer (https://go.dev/dl/), " +
          "or point KUBEBUILDER_ASSETS at a folder that holds etcd.",
      ),
    );
  } finally {
    process.env["PATH"] = path;
  }
  expect(await cached()).toEqual([]);
});

test("the cache's key changes with the Go files", async () => {
  const before = cacheKey(RECIPES.etcd.module, await tinyModules());
  const after = cacheKey(RECIPES.etcd.module, await tinyModules('func main() { println("other") }'));
  expect(before).toMatch(/^etcd-v3\.7\.3-\w+-\w+-[0-9a-f]{12}$/);
  expect(after).not.toBe(before);
});

test("the environment names the cache folder, XDG's by default", () => {
  const of = (env: NodeJS.ProcessEnv) => sourcesFromEnvironment(env).cache;
  expect(of({ SIGNET_CACHE: "/c", XDG_CACHE_HOME: "/x" })).toBe("/c");
  expect(of({ XDG_CACHE_HOME: "/x" })).toBe("/x/signet");
  expect(sourcesFromEnvironment({ SIGNET_DOWNLOAD: "off" }).mirrors).toBe("off");
});

describe("building", { timeout: BUILD_MS }, () => {
  const SCRIPT = `
    const { findBinaries } = await import(${JSON.stringify(join(import.meta.dirname, "binaries.ts"))});
    await findBinaries(["etcd"], JSON.parse(process.argv[1]), (line) => console.log(line));
  `;

  function buildInChild(given: BinarySources) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT, JSON.stringify(given)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
    });
    return { child, out: () => out, ended: once(child, "close") };
  }

  test("of two processes one builds and the other waits for it", async () => {
    const given = await sources();
    const both = [buildInChild(given), buildInChild(given)];
    await Promise.all(both.map((each) => each.ended));
    const lines = both.map((each) => each.out()).join("");
    expect(lines.match(/built in/g)).toHaveLength(1);
    expect(lines.match(/another process is getting/g)).toHaveLength(1);
    const key = cacheKey(RECIPES.etcd.module, given.goFolder);
    expect(await cached()).toEqual([key, `${key}/etcd`]);
  });

  test("a builder killed half-way leaves nothing half, and the next one builds", async () => {
    const given = await sources();
    const first = buildInChild(given);
    await expect.poll(() => cached(), { timeout: 20_000 }).toContainEqual(expect.stringMatching(/etcd\.work/));
    first.child.kill("SIGKILL");
    await first.ended;
    await sleep(200);
    await expect.poll(() => cached(), { timeout: 3_000 }).toEqual([]);
    expect(await processesNaming(given.cache)).toEqual([]);
    expect((await findBinaries(["etcd"], given, note)).has("etcd")).toBe(true);
  });
});
