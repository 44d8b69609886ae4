import { expect, test } from "vitest";
import { problemLine } from "../../src/domain/problem.ts";
import { readServerConfig } from "../../src/wire/config.ts";
import { databaseConfiguration } from "../../src/wire/manifests/server.ts";
import { yamlText } from "../../src/wire/yaml-text.ts";
import { must } from "../fakes/judging.ts";

const file = (text: string) => ({ name: "signet.yaml", text });
const refusals = (text: string, flags = {}) => {
  const read = readServerConfig(file(text), flags);
  return read.ok ? [] : read.problems.map((found) => `${problemLine(found)} [${found.code}]`);
};

test("without a file and without flags the defaults hold, frozen", () => {
  const config = must(readServerConfig(undefined, {}));
  expect(config).toEqual({
    host: "127.0.0.1",
    port: 8443,
    state: ".signet",
    catalogue: ".signet/catalogue",
    names: [],
    requireApproval: false,
    authorities: { ownRoots: true },
    log: { level: "info", format: "auto" },
    drainDelayMs: 0,
    drainGraceMs: 30_000,
  });
  expect([Object.isFrozen(config), Object.isFrozen(config.log)]).toEqual([true, true]);
});

test("flags stand over the file, and the catalogue lies in the state folder unless it is named", () => {
  const text =
    "listen: '[::1]:0'\nstate: /var/lib/signet\nnames: [signet.example.org]\ndrain: {delay: 5s, grace: 1m}\n";
  expect(must(readServerConfig(file(text), {}))).toMatchObject({
    host: "::1",
    port: 0,
    catalogue: "/var/lib/signet/catalogue",
    names: ["signet.example.org"],
    drainDelayMs: 5000,
    drainGraceMs: 60_000,
  });
  expect(must(readServerConfig(file(text), { listen: "localhost:1", state: "s", catalogue: "c" }))).toMatchObject({
    host: "localhost",
    port: 1,
    state: "s",
    catalogue: "c",
  });
});

test("whoever may call the webhooks is named by the file, or by a flag for the API server alone", () => {
  const text = "clients: {ca: /a.crt, names: [front]}\n";
  const clients = (flags: object, written = text) => must(readServerConfig(file(written), flags)).clients;
  expect(clients({})).toEqual({ ca: "/a.crt", names: ["front"] });
  expect(clients({ clientCa: "/b.crt" })).toEqual({ ca: "/b.crt", names: ["front"] });
  expect(clients({ clientCa: "/b.crt" }, "")).toEqual({ ca: "/b.crt", names: ["kube-apiserver"] });
});

test("where Istio's certificate service listens, and who speaks for a node, is said by the file or by flags", () => {
  const text = "grpc: {listen: '[::]:15012', nodeProxies: [istio-system/ztunnel]}\n";
  const grpc = (flags: object, written = text) => must(readServerConfig(file(written), flags)).grpc;
  expect(grpc({})).toEqual({ host: "::", port: 15_012, nodeProxies: ["istio-system/ztunnel"] });
  expect(grpc({}, "")).toBeUndefined();
  expect(grpc({ grpcListen: "0.0.0.0:1" }, "")).toEqual({ host: "0.0.0.0", port: 1, nodeProxies: [] });
  expect(grpc({ nodeProxy: ["mesh/proxy"] })).toEqual({ host: "::", port: 15_012, nodeProxies: ["mesh/proxy"] });
  const refused = (flags: object) => {
    const read = readServerConfig(undefined, flags);
    return read.ok ? [] : read.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
  };
  expect(refused({ nodeProxy: ["mesh/proxy"] })).toEqual([
    "FIELD_CONFLICT grpc.nodeProxies: Node proxies are named, and there is no certificate service.",
  ]);
  expect(refused({ grpcListen: "0.0.0.0:1", nodeProxy: ["proxy"] })).toEqual([
    'FIELD_INVALID grpc.nodeProxies: "proxy" is not NAMESPACE/NAME of an account.',
  ]);
  expect(refused({ grpcListen: "15012" })).toEqual(['FIELD_INVALID grpc.listen: "15012" is not HOST:PORT.']);
});

test("where other trust domains fetch the bundle is written, and left out there is no such place", () => {
  const endpoint = (flags: object, written = "bundleEndpoint: {listen: '[::]:8444'}\n") =>
    readServerConfig(file(written), flags);
  expect(must(endpoint({})).bundleEndpoint).toEqual({ host: "::", port: 8444 });
  expect(must(endpoint({ bundleListen: "127.0.0.1:1" })).bundleEndpoint).toEqual({ host: "127.0.0.1", port: 1 });
  expect(must(endpoint({}, "")).bundleEndpoint).toBeUndefined();
  expect(endpoint({ bundleListen: "8444" })).toMatchObject({
    ok: false,
    problems: [{ code: "FIELD_INVALID", path: "bundleEndpoint.listen", message: '"8444" is not HOST:PORT.' }],
  });
});

test("authorities lie in a token by its URI, below an offline root, with time for their readers, where that is written", () => {
  const read = (text: string) => must(readServerConfig(file(`authorities: ${text}`), {})).authorities;
  expect(read("{}")).toEqual({ ownRoots: true });
  const key = "pkcs11:token=a%20b;object=issuing?module-path=/m.so&pin-source=file:/p";
  expect(read(`{root: offline, settle: 20m, key: '${key}'}`)).toEqual({
    ownRoots: false,
    settleMs: 1_200_000,
    key: { token: "a b", object: "issuing", modulePath: "/m.so", pinFile: "/p" },
  });
  const refused = (uri: string, why: string) =>
    expect(refusals(`authorities: {key: '${uri}'}`)).toEqual([
      `signet.yaml:1:15: authorities.key: The PKCS#11 URI cannot be used: ${why}. [FIELD_INVALID]`,
    ]);
  refused("pkcs12:token=a", "it does not begin with pkcs11:");
  refused("pkcs11:object=a", "it names no token");
  refused("pkcs11:token=a?pin-value=4711", "a PIN must not stand in it; pin-source names the file that holds it");
  refused("pkcs11:token=a;token=b", '"token" stands twice');
  refused("pkcs11:token=a;colour=b", '"colour" is not known here');
  refused("pkcs11:token=%zz", '"token" is not percent-encoded');
  refused("pkcs11:token=a?pin-source=pin", "its pin-source is not a file by its whole path");
});

test("a database has its defaults, is spoken to in secret, and a Unix socket is not", () => {
  const read = (text: string) => must(readServerConfig(file(`database: ${text}`), {})).database;
  expect(read("{host: pg.example.org, passwordFile: /p}")).toEqual({
    host: "pg.example.org",
    port: 5432,
    name: "signet",
    user: "signet",
    passwordFile: "/p",
    tls: {},
  });
  expect(read("{host: pg, port: 1, name: db, user: u, ca: /ca.crt}")).toMatchObject({ tls: { ca: "/ca.crt" } });
  expect(read("{host: pg, tls: none}")).not.toHaveProperty("tls");
  expect(read("{host: /run/postgresql}")).not.toHaveProperty("tls");
});

test("what the component `database` configures is read as it is meant", () => {
  const { database } = must(readServerConfig(file(yamlText(databaseConfiguration("signet-database"))), {}));
  expect(database).toEqual({
    host: "postgres.signet-database.svc",
    port: 5432,
    name: "signet",
    user: "signet",
    passwordFile: "/etc/signet-database/password",
    tls: { ca: "/etc/signet-database/ca.crt" },
  });
});

test("signed grants have a folder and keys, in the file or by flags; one without the other is refused", () => {
  const read = (text: string, flags = {}) => must(readServerConfig(file(text), flags)).grants;
  expect(read("grants: {folder: /g, keys: /k.json}")).toEqual({ folder: "/g", keys: "/k.json", required: false });
  expect(read("grants: {folder: /g, keys: /k.json, required: true}", { grants: "/other" })).toEqual({
    folder: "/other",
    keys: "/k.json",
    required: true,
  });
  expect(read("", { grants: "/g", grantKeys: "/k.json", requireSignedGrants: true })?.required).toBe(true);
  expect(read("")).toBeUndefined();
  const halves = "grants: Signed grants need a folder and the keys that they count by. [FIELD_CONFLICT]";
  expect(refusals("", { grants: "/g" })).toEqual([halves]);
  expect(refusals("", { requireSignedGrants: true })).toEqual([halves]);
});

test("an empty file is no configuration at all, which is a right one", () => {
  expect(refusals("")).toEqual([]);
  expect(refusals("# nothing yet\n")).toEqual([]);
});

test.each([
  ["an unknown key", "lisen: x\n", ['signet.yaml:1:1: lisen: There is no field "lisen" here. [FIELD_UNKNOWN]']],
  [
    "an unknown key further in",
    "log:\n  colour: red\n",
    ['signet.yaml:2:3: log.colour: There is no field "colour" here. [FIELD_UNKNOWN]'],
  ],
  [
    "a wrong word",
    "log: {level: loud}\n",
    ['signet.yaml:1:7: log.level: "loud" is none of debug, info, warn, error. [FIELD_INVALID]'],
  ],
  [
    "a duration without unit",
    "drain:\n  grace: 0s\n",
    ['signet.yaml:2:3: drain.grace: "0s" is not a duration. [FIELD_INVALID]'],
  ],
  [
    "two documents",
    "listen: 127.0.0.1:1\n---\nstate: x\n",
    ["The configuration holds two documents. [FIELD_CONFLICT]"],
  ],
])("%s is fatal, with file and line", (_what, text, told) => {
  expect(refusals(text)).toEqual(told);
});

test.each(["8443", "127.0.0.1", "127.0.0.1:65536", "::1:80", "host:", ":80", "a b:x"])(
  "%s is no address to listen on",
  (listen) => {
    expect(refusals("", { listen })).toEqual([`listen: "${listen}" is not HOST:PORT. [FIELD_INVALID]`]);
  },
);
