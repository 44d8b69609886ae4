import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/** The map of the house: each room's floor, and the packages from outside that it may import (node: modules included). */
const ROOMS: Readonly<Record<string, { readonly floor: number; readonly outside: readonly string[] }>> = {
  domain: { floor: 1, outside: ["node:crypto"] },
  wire: { floor: 2, outside: ["typebox", "yaml"] },
  identity: { floor: 2, outside: ["node:crypto"] },
  policy: { floor: 2, outside: ["node:crypto"] },
  admission: { floor: 3, outside: [] },
  reconcile: { floor: 3, outside: [] },
  learn: { floor: 3, outside: [] },
  ca: {
    floor: 4,
    outside: [
      "@peculiar/x509",
      "reflect-metadata",
      "jose",
      "node-forge",
      "pkcs11js",
      "node:crypto",
      "node:fs",
      "node:path",
      "node:net",
    ],
  },
  kube: {
    floor: 4,
    outside: [
      "@kubernetes/client-node",
      "node:https",
      "node:http",
      "node:tls",
      "node:fs",
      "node:crypto",
      "node:zlib",
      "node:fs/promises",
      "node:path",
    ],
  },
  folder: {
    floor: 4,
    outside: ["node:fs", "node:path", "node:crypto", "node:process", "node:child_process", "node:url"],
  },
  store: {
    floor: 4,
    outside: ["node:sqlite", "node:worker_threads", "node:crypto", "node:fs", "node:os", "node:path", "node:url", "pg"],
  },
  http: {
    floor: 4,
    outside: [
      "fastify",
      "prom-client",
      "pino",
      "node:http",
      "node:https",
      "node:http2",
      "node:tls",
      "node:net",
      "node:crypto",
      "node:buffer",
      "node:perf_hooks",
      "node:process",
      "node:vm",
    ],
  },
  remote: { floor: 4, outside: ["node:https"] },
  cli: { floor: 4, outside: ["commander", "yaml", "node:path"] },
  bin: {
    floor: 5,
    outside: [
      "node:process",
      "node:module",
      "node:fs",
      "node:path",
      "node:url",
      "node:crypto",
      "node:os",
      "node:v8",
      "node:perf_hooks",
      "node:timers/promises",
      "node:worker_threads",
      "pino",
    ],
  },
};

type Import = { readonly file: string; readonly from: string };

const files = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return path.endsWith(".ts") ? [path] : [];
  });

const importsOf = (file: string): readonly Import[] =>
  [
    ...readFileSync(file, "utf8").matchAll(
      /(?:^|\n)(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"|(?:^|\n)import\s+"([^"]+)"/g,
    ),
  ].map((match) => ({ file, from: match[1] ?? match[2] ?? match[3] ?? "" }));

const roomOf = (path: string): string => relative("src", path).split("/")[0] ?? "";

const packageOf = (from: string): string =>
  from.startsWith("node:")
    ? from
    : from
        .split("/")
        .slice(0, from.startsWith("@") ? 2 : 1)
        .join("/");

function trespass({ file, from }: Import): string | undefined {
  const room = roomOf(file);
  const here = ROOMS[room];
  if (!here) return `${file}: there is no room "${room}"`;
  if (!from.startsWith("."))
    return here.outside.includes(packageOf(from)) ? undefined : `${file} imports ${from}, which ${room} may not`;
  const target = roomOf(join(dirname(file), from));
  if (target === room) return undefined;
  const there = ROOMS[target];
  return there && there.floor < here.floor ? undefined : `${file} imports ${from}: ${target} is not below ${room}`;
}

test("an import only goes down a floor, and each room uses only the packages it may", () => {
  expect(
    files("src")
      .flatMap(importsOf)
      .flatMap((each) => trespass(each) ?? []),
  ).toEqual([]);
});

test("the map bites: a sideways import, an upward import and a foreign package are trespasses", () => {
  expect([
    trespass({ file: "src/wire/a.ts", from: "../policy/b.ts" }),
    trespass({ file: "src/domain/a.ts", from: "../wire/b.ts" }),
    trespass({ file: "src/admission/a.ts", from: "node:fs" }),
    trespass({ file: "src/admission/a.ts", from: "../domain/b.ts" }),
  ]).toEqual([
    "src/wire/a.ts imports ../policy/b.ts: policy is not below wire",
    "src/domain/a.ts imports ../wire/b.ts: wire is not below domain",
    "src/admission/a.ts imports node:fs, which admission may not",
    undefined,
  ]);
});

/** Rooms whose code has no I/O, no clock, no randomness and nothing asynchronous. */
const PURE = ["domain", "wire", "identity", "policy", "admission", "reconcile", "learn"];
const IMPURE =
  /\bDate\.now\(|new Date\(\)|Math\.random\(|\basync\b|\bawait\b|process\.|\bsetTimeout\(|\bfetch\(|randomBytes|randomUUID/;

test("pure rooms read no clock, no randomness and no environment, and wait for nothing", () => {
  const pure = files("src").filter((file) => PURE.includes(roomOf(file)));
  const code = (file: string): string =>
    readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "");
  expect(pure.filter((file) => IMPURE.test(code(file)))).toEqual([]);
});

test("only bin reads the environment", () => {
  const others = files("src").filter((file) => roomOf(file) !== "bin");
  expect(others.filter((file) => readFileSync(file, "utf8").includes("process.env"))).toEqual([]);
});
