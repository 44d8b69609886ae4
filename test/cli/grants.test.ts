import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { makeKeys, sign, verify } from "../../src/bin/grant-keeper.ts";
import { addGrantCommands } from "../../src/cli/grant-commands.ts";
import type { Io } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/program.ts";
import { addReviewCommand } from "../../src/cli/review.ts";
import { addTableCommands } from "../../src/cli/tables.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import { NOON } from "../fakes/judging.ts";

const UID = "6c1f0a3e-0000-4000-8000-000000000001";
const CATALOGUE = (uid = UID, spec = "permit: {check: hostPID}, expires: '2026-12-07T12:00:00Z'") => `
{apiVersion: v1, kind: Namespace, metadata: {name: payments, uid: ${uid}, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}, status: {approved: {generation: 1, spec: {domain: example.org}}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {classification: pci, namespaces: [payments], mode: enforce}, status: {approved: {generation: 1, spec: {classification: pci, namespaces: [payments], mode: enforce}, by: [b]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db}, spec: {segment: payments, match: {serviceAccounts: [db]}}, status: {approved: {generation: 1, spec: {segment: payments, match: {serviceAccounts: [db]}}, by: [b]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: payments, match: {serviceAccounts: [web]}}, status: {approved: {generation: 1, spec: {segment: payments, match: {serviceAccounts: [web]}}, by: [b]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {namespace: payments, name: import}, spec: {${spec}, workloads: {role: db}, reason: r}}
`;
const deployment = (name: string, account: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: payments}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {signet.dev/exception: import}}
    spec: {serviceAccountName: ${account}, hostPID: true, containers: [{name: main, image: example.org/x}]}
`;

type World = { readonly files: Record<string, string>; now: number };

/** Runs a command line with these files and nothing else. */
async function signet({ files, now }: World, line: string) {
  const printed = { out: "", err: "" };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    color: false,
    now: () => now,
    env: {},
    readInputs: (paths) => {
      const missing = paths.find((path) => files[path] === undefined);
      if (missing !== undefined) return refuse("FILE_UNREADABLE", "", missing);
      return ok(paths.map((name) => ({ name, text: files[name] ?? "" })));
    },
    writeFile: () => ok(undefined),
    grants: {
      make: makeKeys,
      sign,
      verify,
      writeKey: (path, text) => {
        if (files[path] !== undefined) return refuse("FILE_UNREADABLE", "", `${path} is there`);
        files[path] = text;
        return ok(undefined);
      },
    },
  };
  const code = await runCli(io, line.split(" "), [addReviewCommand, addTableCommands, addGrantCommands]);
  return { code, ...printed };
}

const REVIEW = "review app -c cat --require-approval -o json --grants g.jws --grant-keys keys";
const codesOf = (out: string) =>
  (JSON.parse(out) as { verdict: string; problems: { code: string }[] }[]).map(({ verdict, problems }) => [
    verdict,
    ...problems.map(({ code }) => code),
  ])[0];

let keys: { private: string; public: string };
let grant: string;
const world = (more: Record<string, string> = {}): World => ({
  now: NOON,
  files: {
    cat: CATALOGUE(),
    app: deployment("db", "db"),
    key: keys.private,
    keys: keys.public,
    "g.jws": grant,
    ...more,
  },
});
const signed = async (line: string, files: Record<string, string> = {}) => {
  const { code, out, err } = await signet(world(files), `exceptions grant import -n payments -c cat --key key${line}`);
  expect([code, err]).toEqual([0, ""]);
  return out;
};

beforeAll(async () => {
  const made = await makeKeys();
  keys = { private: made.privateKey, public: made.publicKeys };
  grant = "";
  grant = await signed("");
});

test("keygen keeps the private half in one file, never over another, and prints the public one", async () => {
  const empty: World = { now: NOON, files: {} };
  const { code, out } = await signet(empty, "exceptions keygen --out key");
  const { keys: made } = JSON.parse(out) as { keys: object[] };
  expect([code, made.map((key) => Object.keys(key).sort())]).toEqual([
    0,
    [["alg", "crv", "kid", "kty", "use", "x", "y"]],
  ]);
  expect(JSON.parse(empty.files["key"] ?? "")).toHaveProperty("d");
  expect((await signet(empty, "exceptions keygen --out key")).code).toBe(2);
});

test("a workload that points to a signed exception passes, approval being required", async () => {
  const { code, out } = await signet(world(), REVIEW);
  expect([code, codesOf(out)]).toEqual([0, ["admit"]]);
});

test("without the grant the same exception is not known to be approved", async () => {
  const { code, out } = await signet(world(), "review app -c cat --require-approval -o json");
  expect([code, codesOf(out)]).toEqual([3, ["deny", "HOST_PID", "EXCEPTION_UNAPPROVED"]]);
});

describe("where only signatures grant", () => {
  const approved = () =>
    CATALOGUE().replace(
      /(\{apiVersion: [^\n]*SegmentException[^\n]*, spec: )(\{.*\})\}/,
      "$1&spec $2, status: {approved: {generation: 1, by: [eve], spec: *spec}}}",
    );

  test("an approval that a folder claims is believed, and with the switch it is not", async () => {
    const judged = async (more: string) =>
      codesOf((await signet(world({ cat: approved() }), `review app -c cat --require-approval -o json${more}`)).out);
    expect(await judged("")).toEqual(["admit"]);
    expect(await judged(" --require-signed-grants")).toEqual(["deny", "HOST_PID", "EXCEPTION_UNSIGNED"]);
    expect(await judged(" --require-signed-grants --grants g.jws --grant-keys keys")).toEqual(["admit"]);
  });

  test("the refusal has a sentence of its own", async () => {
    const { out } = await signet(world({ cat: approved() }), "review app -c cat --require-signed-grants");
    expect(out).toContain(
      'EXCEPTION_UNSIGNED spec.template.metadata.annotations.signet.dev/exception: Exception "import" is not granted by a signature, and nothing else counts here.\n         Have it signed (`signet exceptions grant`), and put the grant where the others are.\n',
    );
  });
});

test("a grant stands alone: the folder need not hold the exception", async () => {
  const [bare = ""] = CATALOGUE().split("---\n{apiVersion: signet.dev/v1alpha1, kind: SegmentException");
  expect(codesOf((await signet(world({ cat: bare }), REVIEW)).out)).toEqual(["admit"]);
});

test("verify says what is granted, to whom, until when and by which key", async () => {
  const { kid } = (JSON.parse(keys.public) as { keys: [{ kid: string }] }).keys[0];
  const bound = await signed(" --workload Deployment/db");
  expect(await signet(world({ "g.jws": bound }), "exceptions verify g.jws --keys keys -c cat")).toEqual({
    code: 0,
    out: `payments/import: counts; permits hostPID for Deployment db of role db, namespace UID ${UID}, until 2026-12-07T12:00:00Z; signed by ${kid}\n`,
    err: "",
  });
});

const encode = (value: object | string) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const [headerOf, payloadOf, signatureOf] = [0, 1, 2].map(
  (part) => (jws: string) => jws.trim().split(".")[part] ?? "",
) as [(jws: string) => string, (jws: string) => string, (jws: string) => string];
const decoded = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
const reheaded = (more: object) =>
  `${encode({ ...decoded(headerOf(grant)), ...more })}.${payloadOf(grant)}.${signatureOf(grant)}`;
const hmac = (jws: string, key: string) => {
  const input = `${encode({ ...decoded(headerOf(jws)), alg: "HS256" })}.${payloadOf(jws)}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
};

type Attack = { readonly name: string; readonly code: string; readonly files: () => Promise<Record<string, string>> };

/** Read whole, these are refused by the verdict… */
const OUTLIVED: readonly (Attack & { readonly at?: number })[] = [
  {
    name: "for another role's workload",
    code: "EXCEPTION_MISMATCH",
    files: async () => ({ app: deployment("web", "web") }),
  },
  {
    name: "for another workload of the role",
    code: "EXCEPTION_MISMATCH",
    files: async () => ({ "g.jws": await signed(" --workload Deployment/db"), app: deployment("other", "db") }),
  },
  {
    name: "in a namespace made anew under the name",
    code: "GRANT_NAMESPACE",
    files: async () => ({ cat: CATALOGUE("6c1f0a3e-0000-4000-8000-000000000002") }),
  },
  {
    name: "in a namespace whose UID only the reviewed file tells",
    code: "GRANT_NAMESPACE",
    files: async () => ({
      cat: CATALOGUE("").replace("uid: , ", ""),
      app: `${deployment("db", "db")}---\n{apiVersion: v1, kind: Namespace, metadata: {name: payments, uid: ${UID}}}\n`,
    }),
  },
  { name: "after its end", code: "EXCEPTION_EXPIRED", at: Date.UTC(2026, 11, 7, 12), files: async () => ({}) },
  { name: "before it was signed", code: "EXCEPTION_NOT_YET", at: NOON - 3_600_000, files: async () => ({}) },
  {
    name: "for another check",
    code: "EXCEPTION_MISMATCH",
    files: async () => ({
      "g.jws": await signed("", { cat: CATALOGUE(UID, "permit: {check: hostIPC}, expires: '2026-12-07T12:00:00Z'") }),
    }),
  },
  {
    name: "longer than a class that was tightened since",
    code: "EXCEPTION_TOO_LONG",
    files: async () => ({
      cat: CATALOGUE().replaceAll("mode: enforce", "mode: enforce, exceptions: {maxDuration: 24h}"),
    }),
  },
];

/** …and these are never taken for grants, so that nothing is judged at all. */
const FORGED: readonly Attack[] = [
  {
    name: "altered",
    code: "GRANT_UNTRUSTED",
    files: async () => ({
      "g.jws": `${headerOf(grant)}.${encode({ ...decoded(payloadOf(grant)), exp: 4_000_000_000 })}.${signatureOf(grant)}`,
    }),
  },
  {
    name: "alg none",
    code: "GRANT_UNTRUSTED",
    files: async () => ({ "g.jws": `${encode({ ...decoded(headerOf(grant)), alg: "none" })}.${payloadOf(grant)}.` }),
  },
  {
    name: "HS256 with the public key for a secret",
    code: "GRANT_UNTRUSTED",
    files: async () => ({ "g.jws": hmac(grant, keys.public) }),
  },
  {
    name: "another algorithm named",
    code: "GRANT_UNTRUSTED",
    files: async () => ({ "g.jws": reheaded({ alg: "ES384" }) }),
  },
  {
    name: "a token for something else",
    code: "GRANT_UNTRUSTED",
    files: async () => ({ "g.jws": reheaded({ typ: "JWT" }) }),
  },
  {
    name: "signed by another key",
    code: "GRANT_UNTRUSTED",
    files: async () => ({ "g.jws": await signed("", { key: (await makeKeys()).privateKey }) }),
  },
  {
    name: "signed by another key under the name of one that is trusted",
    code: "GRANT_UNTRUSTED",
    files: async () => {
      const other = await signed("", { key: (await makeKeys()).privateKey });
      const input = `${headerOf(grant)}.${payloadOf(other)}`;
      return { "g.jws": `${input}.${signatureOf(other)}` };
    },
  },
  {
    name: "signed by a key that it brings itself",
    code: "GRANT_UNTRUSTED",
    files: async () => {
      const made = await makeKeys();
      const [jwk] = (JSON.parse(made.publicKeys) as { keys: object[] }).keys;
      const other = await signed("", { key: made.privateKey });
      return { "g.jws": `${encode({ ...decoded(headerOf(other)), jwk })}.${payloadOf(other)}.${signatureOf(other)}` };
    },
  },
  { name: "no JWS at all", code: "GRANT_UNTRUSTED", files: async () => ({ "g.jws": "legacy-import" }) },
  {
    name: "keys that are not for grants",
    code: "GRANT_UNREADABLE",
    files: async () => ({ keys: keys.public.replace("signet-grant", "sig") }),
  },
  {
    name: "a private key among those that verify",
    code: "GRANT_UNREADABLE",
    files: async () => ({ keys: JSON.stringify({ keys: [JSON.parse(keys.private)] }) }),
  },
];

describe("a grant does not count", () => {
  test.each(OUTLIVED)("$name", async ({ files, code, at = NOON }) => {
    const { out } = await signet({ ...world(await files()), now: at }, REVIEW);
    expect(codesOf(out)).toEqual(["deny", "HOST_PID", code]);
  });

  test.each(FORGED)("$name", async ({ files, code }) => {
    const ran = await signet(world(await files()), REVIEW);
    expect([ran.code, ran.out, /\[(\w+)\]/.exec(ran.err)?.[1]]).toEqual([2, "", code]);
  });

  test("with no keys to count by", async () => {
    expect(await signet(world(), "review app -c cat --grants g.jws")).toMatchObject({
      code: 2,
      err: /No keys are named/,
    });
  });
});

describe("nothing is signed", () => {
  test.each([
    [
      "for an exception that is not there",
      { cat: CATALOGUE().replace("name: import", "name: other") },
      "EXCEPTION_MISSING",
    ],
    ["where the namespace's UID is not known", { cat: CATALOGUE("").replace("uid: , ", "") }, "USAGE"],
    [
      "with a key of a CA",
      { key: JSON.stringify({ kty: "EC", crv: "P-256", x: "a", y: "b", d: "c", use: "sig" }) },
      "GRANT_UNREADABLE",
    ],
    [
      "for longer than its class allows",
      { cat: CATALOGUE(UID, "permit: {check: hostPID}, expires: '2027-03-01T00:00:00Z'") },
      "EXCEPTION_TOO_LONG",
    ],
    [
      "of a connection for one workload",
      {
        cat: CATALOGUE(
          UID,
          "permit: {sentence: {from: {role: web}, to: {role: db}, on: [tcp/5432]}}, expires: '2026-12-07T12:00:00Z'",
        ),
      },
      "USAGE",
      " --workload Deployment/db",
    ],
  ])("%s", async (_name, files, code, more = "") => {
    const ran = await signet(world(files), `exceptions grant import -n payments -c cat --key key${more}`);
    expect([ran.out, /\[(\w+)\]/.exec(ran.err)?.[1]]).toEqual(["", code]);
  });
});
