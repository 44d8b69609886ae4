import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { AuthorityCertificate } from "../../src/ca/authority.ts";
import { authorityRequest } from "../../src/ca/authority-request.ts";
import { type KeyStore, VAULT_KEYS } from "../../src/ca/keys/key-store.ts";
import { generateKey, memoryKey, type SigningKey } from "../../src/ca/keys/signing-key.ts";
import { Issuer } from "../../src/ca/issuer.ts";
import { makeAuthorityPair, type Making, signIssuing, signRoot } from "../../src/ca/new-authority.ts";
import { makeOfflineRoot, openOfflineRoot, signByRoot } from "../../src/ca/offline-root.ts";
import { certificatesPem, listsIn, toPem } from "../../src/ca/pem.ts";
import { readCertificate } from "../../src/ca/read-certificate.ts";
import { type ChainTerms, readAuthorityChain } from "../../src/ca/read-chain.ts";
import type { Profiles } from "../../src/domain/certificate.ts";
import { formatInstant } from "../../src/domain/instant.ts";
import { ok, type Result } from "../../src/domain/problem.ts";
import { readAuthorityBook } from "../../src/wire/authority-book.ts";
import { PROFILES } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, pass, workAll } from "../fakes/vault.ts";

const DAY = 24 * 3_600_000;
const SEALING = { secret: "0123456789abcdef0123456789abcdef", kind: "random" } as const;
const MAKING: Making = { trustDomain: "example.org", profiles: PROFILES, now: NOON, random: randomBytes };

let folder = "";
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "signet-root-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  folder = join(made, "root");
});

const openers = { sealing: () => ok(SEALING), token: () => Promise.reject(new Error("no token")) };
const sealed = { in: "folder", sealing: SEALING } as const;

/** A server that has asked for a chain, and the offline root that it asks. */
async function asked() {
  const [vault, clock] = [memoryVault(), handClock()];
  const keeper = keeperOver(vault, clock);
  await workAll(keeper);
  must(await makeOfflineRoot(folder, sealed, MAKING));
  const request = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  const root = must(await openOfflineRoot(folder, openers));
  return { vault, clock, keeper, request, root };
}

const whyOf = (result: Result<unknown>): string =>
  result.ok ? "ok" : result.problems.map(({ code, message }) => `${code} ${message}`).join("; ");

test("a chain by the offline root goes through every state like any other, and its root's key is never the server's", async () => {
  const { vault, clock, keeper, request, root } = await asked();
  const { chain } = must(await signByRoot(folder, root, request, MAKING));
  must(await keeper.importChain(chain));
  expect(await workAll(keeper)).toEqual(["publish", "confirm"]);
  pass(clock, 15 * 60_000);
  expect(await workAll(keeper)).toEqual(["activate"]);
  const { set, issuer } = keeper.current();
  expect(set.authorities.map(({ state, offline }) => [state, offline])).toEqual([
    ["tainted", undefined],
    ["active", true],
  ]);
  expect(issuer?.facts.keyId).toBe(set.authorities[1]?.id);
  expect(vault.text?.match(/BEGIN PRIVATE KEY/g)?.length).toBe(2);
  expect(readFileSync(join(folder, "root.key"), "utf8")).not.toContain("PRIVATE KEY");
  expect((statSync(join(folder, "root.key")).mode & 0o777).toString(8)).toBe("600");
});

test("below a root that readers have, the next authority does not wait for them", async () => {
  const { clock, keeper, request, root } = await asked();
  must(await keeper.importChain(must(await signByRoot(folder, root, request, MAKING)).chain));
  await workAll(keeper);
  pass(clock, 15 * 60_000);
  await workAll(keeper);
  const again = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  must(await keeper.importChain(must(await signByRoot(folder, root, again, { ...MAKING, now: clock.wall })).chain));
  expect(await workAll(keeper)).toEqual(["publish", "confirm", "activate"]);
});

const CRL_CONFIG = "[ca]\ndefault_ca = root\n[root]\ndatabase = index\ncrlnumber = number\ndefault_md = sha256\n";
const listsOf = (pem: string): readonly Buffer[] => listsIn(pem) ?? [];

test("the root's revocation list comes with the chain, the next one in its place, and openssl takes it", async () => {
  const { clock, keeper, request, root } = await asked();
  const first = must(await signByRoot(folder, root, request, MAKING));
  const own = keeper.current().rootLists;
  must(await keeper.importChain(first.chain));
  await workAll(keeper);
  expect(keeper.current().rootLists).toEqual([...own, ...listsOf(first.chain)]);
  pass(clock, 15 * 60_000);
  await workAll(keeper);
  const again = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  const second = must(await signByRoot(folder, root, again, { ...MAKING, now: clock.wall }));
  must(await keeper.importChain(second.chain));
  await workAll(keeper);
  expect(keeper.current().rootLists).toEqual([...own, ...listsOf(second.chain)]);
  const [path, ...args] = [join(folder, "list.pem"), "-attime", String(clock.wall / 1000), "-crl_check", "-CRLfile"];
  writeFileSync(path, second.chain);
  writeFileSync(join(folder, "next.pem"), certificatesPem([second.issuing.der]));
  const roots = ["-partial_chain", "-CAfile", join(folder, "root.crt")];
  const said = execFileSync("openssl", ["verify", ...args, path, ...roots, join(folder, "next.pem")], {
    encoding: "utf8",
  });
  expect(said).toBe(`${join(folder, "next.pem")}: OK\n`);
});

test("a list that the root did not sign, that ends too early or that cannot be read refuses the chain", async () => {
  const { keeper, request, root } = await asked();
  const { issuing, chain } = must(await signByRoot(folder, root, request, MAKING));
  const certificates = certificatesPem([issuing.der, root.certificate.der]);
  const list = { number: 1, thisUpdate: NOON, nextUpdate: issuing.window.notAfter, revoked: [] };
  const by = async (key: SigningKey, more: Partial<typeof list> = {}) =>
    toPem("X509 CRL", await new Issuer(root.certificate, key).signList({ ...list, ...more }));
  const sentence = async (lists: string): Promise<string> =>
    whyOf(await keeper.importChain(`${certificates}${lists}`)).replace(
      "AUTHORITY_INVALID The chain is not taken: ",
      "",
    );
  const early = `its revocation list does not hold from now to ${formatInstant(list.nextUpdate)}, when the authority ends.`;
  const many = "it has more than one revocation list, or one that is not in base64.";
  expect(await sentence(await by(memoryKey(generateKey("ECDSAP256"))))).toBe(
    "its revocation list is not signed by its root.",
  );
  expect(await sentence(await by(root.key, { nextUpdate: list.nextUpdate - 1000 }))).toBe(early);
  expect(await sentence(await by(root.key, { thisUpdate: NOON + 1000 }))).toBe(early);
  expect(await sentence(`${await by(root.key)}${await by(root.key)}`)).toBe(many);
  expect(await sentence((await by(root.key)).replace("-----END", "=\n-----END"))).toBe(many);
  expect(await sentence(toPem("X509 CRL", issuing.der))).toBe("its revocation list is not of version 2, with an end.");
  expect(keeper.current().set.awaiting).toBeDefined();
  must(await keeper.importChain(chain));
});

test("a root under a known key identifier that is another certificate is refused, even one renewed by the same key", async () => {
  const { clock, keeper, request, root } = await asked();
  must(await keeper.importChain(must(await signByRoot(folder, root, request, MAKING)).chain));
  await workAll(keeper);
  pass(clock, 15 * 60_000);
  await workAll(keeper);
  const before = keeper.current().bundle;
  const again = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  const making = { ...MAKING, now: clock.wall };
  const renewed = { certificate: await signRoot(making, root.key), key: root.key };
  expect(renewed.certificate.keyId).toBe(root.certificate.keyId);
  const { chain } = must(await signByRoot(folder, renewed, again, making));
  expect(whyOf(await keeper.importChain(chain))).toBe(
    "AUTHORITY_INVALID The chain is not taken: its root has the key identifier of one that is known, and is another certificate.",
  );
  expect(keeper.current().bundle).toEqual(before);
  must(await keeper.importChain(must(await signByRoot(folder, root, again, making)).chain));
});

test("an authority below an offline root has no successor that was made here, not even when it has expired", async () => {
  const { clock, keeper, request, root } = await asked();
  must(await keeper.importChain(must(await signByRoot(folder, root, request, MAKING)).chain));
  await workAll(keeper);
  pass(clock, 15 * 60_000);
  await workAll(keeper);
  pass(clock, 100 * DAY);
  expect(await workAll(keeper)).toEqual(["revoke"]);
  const next = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  must(await keeper.importChain(must(await signByRoot(folder, root, next, { ...MAKING, now: clock.wall })).chain));
  expect(await workAll(keeper)).toContain("activate");
});

test("where roots are kept offline none is made, and none can be asked for", async () => {
  const keeper = keeperOver(memoryVault(), handClock(), { ownRoots: false });
  expect([await workAll(keeper), keeper.current().issuer]).toEqual([[], undefined]);
  expect(whyOf(await keeper.step({ step: "request" }))).toBe(
    'ROTATION_REFUSED The step "request" cannot be made now: roots are kept offline here: `signet ca csr`, `sign` and `import` bring one.',
  );
  must(await makeOfflineRoot(folder, sealed, MAKING));
  const request = toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()));
  const root = must(await openOfflineRoot(folder, openers));
  must(await keeper.importChain(must(await signByRoot(folder, root, request, MAKING)).chain));
  expect(await workAll(keeper)).toEqual(["publish", "confirm", "activate"]);
});

test("the same request is given until its chain has come, and the same chain is taken twice", async () => {
  const { keeper, request, root } = await asked();
  expect(toPem("CERTIFICATE REQUEST", must(await keeper.requestChain()))).toBe(request);
  const { chain } = must(await signByRoot(folder, root, request, MAKING));
  must(await keeper.importChain(chain));
  must(await keeper.importChain(chain));
  expect(keeper.current().set.authorities).toHaveLength(2);
  expect(whyOf(await keeper.requestChain())).toBe(
    'ROTATION_REFUSED The step "awaitChain" cannot be made now: a new authority is on its way already.',
  );
});

test("a chain whose authority signs no more is not taken again", async () => {
  const { keeper, request, root } = await asked();
  const { chain } = must(await signByRoot(folder, root, request, MAKING));
  must(await keeper.importChain(chain));
  must(await keeper.step({ step: "withdraw", id: keeper.current().set.authorities[1]?.id ?? "" }));
  expect(whyOf(await keeper.importChain(chain))).toBe(
    "ROTATION_REFUSED The authority of this chain is revoked already.",
  );
});

test("a key that waits for its chain waits on while the rotation goes by itself, until somebody asks for another", async () => {
  const gone: string[] = [];
  const keys: KeyStore = { ...VAULT_KEYS, forget: (kept) => Promise.resolve(void gone.push(kept)) };
  const [vault, clock] = [memoryVault(), handClock()];
  const keeper = keeperOver(vault, clock, { keys });
  await workAll(keeper);
  const request = must(await keeper.requestChain());
  pass(clock, 46 * DAY);
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm"]);
  expect(must(await keeper.requestChain())).toEqual(request);
  must(await keeper.step({ step: "withdraw", id: keeper.current().set.authorities[1]?.id ?? "" }));
  const before = gone.length;
  must(await makeOfflineRoot(folder, sealed, MAKING));
  const root = must(await openOfflineRoot(folder, openers));
  const { chain } = must(
    await signByRoot(folder, root, toPem("CERTIFICATE REQUEST", request), { ...MAKING, now: clock.wall }),
  );
  must(await keeper.importChain(chain));
  expect([keeper.current().set.awaiting, gone.length]).toEqual([undefined, before]);
  must(await keeper.step({ step: "withdraw", id: keeper.current().set.authorities[2]?.id ?? "" }));
  const other = must(await keeper.requestChain());
  expect(other).not.toEqual(request);
  const { key = "" } = must(readAuthorityBook(vault.text ?? "")).request ?? {};
  must(await keeper.step({ step: "request" }));
  expect([keeper.current().set.awaiting, gone.slice(before + 1)]).toEqual([undefined, [key]]);
});

test("a root is never written over, and is opened by its own passphrase alone", async () => {
  must(await makeOfflineRoot(folder, sealed, MAKING));
  expect(whyOf(await makeOfflineRoot(folder, sealed, MAKING))).toBe(
    `FILE_UNREADABLE There is a root in ${folder} already.`,
  );
  const other = { ...openers, sealing: () => ok({ ...SEALING, secret: "another" }) };
  expect(whyOf(await openOfflineRoot(folder, other))).toBe(
    `FILE_UNREADABLE ${join(folder, "root.key")} cannot be opened: another passphrase, or a damaged file.`,
  );
  expect(whyOf(await openOfflineRoot(join(folder, "none"), openers))).toBe(
    `FILE_UNREADABLE There is no root in ${join(folder, "none")}.`,
  );
  const root = must(await openOfflineRoot(folder, openers));
  const late = { ...MAKING, now: NOON + 400 * DAY };
  expect(whyOf(await signByRoot(folder, root, await requestOf(memoryKey(generateKey("ECDSAP256"))), late))).toMatch(
    /^AUTHORITY_UNAVAILABLE The root holds from .* to .*, and not now\.$/,
  );
});

const requestOf = async (key: SigningKey, profile = PROFILES.issuing): Promise<string> =>
  toPem("CERTIFICATE REQUEST", await authorityRequest({ trustDomain: "example.org", profile }, key));

describe("openssl signs the request as the runbook says", () => {
  const openssl = (...args: readonly string[]): string =>
    execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  test("and the chain is taken; what it leaves out is noticed", { timeout: 60_000 }, async () => {
    const key = memoryKey(generateKey("ECDSAP256"));
    must(await makeOfflineRoot(folder, sealed, MAKING));
    writeFileSync(join(folder, "next.csr"), await requestOf(key));
    expect(openssl("req", "-in", "next.csr", "-noout", "-verify", "-text")).toContain("spiffe://example.org");
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key");
    const subject = ["-subj", "/O=Corporate/CN=Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl("req", "-new", "-x509", "-key", "ca.key", "-days", "3650", "-out", "ca.crt", ...subject);
    writeFileSync(join(folder, "ext.cnf"), "authorityKeyIdentifier=keyid:always\n");
    const common = ["x509", "-req", "-in", "next.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    const copied = ["-copy_extensions", "copy", "-extfile", "ext.cnf"];
    openssl(...common, ...copied, "-days", "90", "-out", "signed.crt");
    openssl(...common, "-days", "90", "-extfile", "ext.cnf", "-out", "bare.crt");
    openssl(...common, ...copied, "-days", "900", "-out", "long.crt");
    const chainOf = (name: string): string =>
      [name, "ca.crt"].map((each) => readFileSync(join(folder, each), "utf8")).join("");
    const terms = termsOf(key, { now: Date.now() });
    expect(whyOf(await readAuthorityChain(chainOf("signed.crt"), terms))).toBe("ok");
    writeFileSync(join(folder, "ca.cnf"), CRL_CONFIG);
    for (const [file, text] of [
      ["index", ""],
      ["number", "01\n"],
    ] as const)
      writeFileSync(join(folder, file), text);
    const authority = ["-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.crt"];
    openssl("ca", "-gencrl", ...authority, "-crldays", "100", "-out", "ca.crl");
    const withList = `${chainOf("signed.crt")}${readFileSync(join(folder, "ca.crl"), "utf8")}`;
    expect(must(await readAuthorityChain(withList, termsOf(key, { now: Date.now() }))).rootList).toEqual(
      listsOf(withList)[0],
    );
    expect(whyOf(await readAuthorityChain(chainOf("bare.crt"), terms))).toMatch(/^AUTHORITY_INVALID /);
    expect(whyOf(await readAuthorityChain(chainOf("long.crt"), terms))).toBe(
      "AUTHORITY_INVALID The chain is not taken: it holds for longer than profile issuing allows.",
    );
    expect(openssl("verify", "-x509_strict", "-CAfile", "ca.crt", "signed.crt")).toBe("signed.crt: OK\n");
  });

  const AUTHORITY = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
  ];
  const PURPOSES = "an extended key usage leaves out serverAuth or clientAuth, which every leaf has";
  const KEYS = "a key is not ECDSA on P-256 or P-384, or RSA with 3072 or 4096 bits";
  const P256 = ["EC", "ec_paramgen_curve:P-256"];
  const whole = "extendedKeyUsage=serverAuth,clientAuth";

  /** What is said of a chain of three: the key of root and of the one between, and what stands in them besides. */
  async function chainOfThree([root, between]: readonly Stage[]): Promise<string> {
    mkdirSync(folder);
    const key = memoryKey(generateKey("ECDSAP256"));
    writeFileSync(join(folder, "next.csr"), await requestOf(key));
    const makeKey = (name: string, [algorithm = "", option = ""]: readonly string[]): string =>
      openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", name);
    const extensions = (name: string, lines: readonly string[]): string => {
      writeFileSync(join(folder, name), `${[...lines, "authorityKeyIdentifier=keyid"].join("\n")}\n`);
      return name;
    };
    makeKey("ca.key", root?.key ?? P256);
    const added = [...AUTHORITY.slice(1, 2), ...(root?.more ?? [])].flatMap((each) => ["-addext", each]);
    openssl("req", "-new", "-x509", "-key", "ca.key", "-days", "3650", "-out", "ca.crt", "-subj", "/CN=Root", ...added);
    makeKey("mid.key", between?.key ?? P256);
    openssl("req", "-new", "-key", "mid.key", "-out", "mid.csr", "-subj", "/CN=Between");
    const signed = (days: string): readonly string[] => [
      "-CAcreateserial",
      "-days",
      days,
      "-copy_extensions",
      "copy",
      "-extfile",
    ];
    const mid = extensions("mid.cnf", [...AUTHORITY, ...(between?.more ?? [])]);
    openssl(
      "x509",
      "-req",
      "-in",
      "mid.csr",
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      ...signed("100"),
      mid,
      "-out",
      "mid.crt",
    );
    const own = extensions("ext.cnf", []);
    openssl(
      "x509",
      "-req",
      "-in",
      "next.csr",
      "-CA",
      "mid.crt",
      "-CAkey",
      "mid.key",
      ...signed("90"),
      own,
      "-out",
      "signed.crt",
    );
    const pem = ["signed.crt", "mid.crt", "ca.crt"].map((each) => readFileSync(join(folder, each), "utf8")).join("");
    return whyOf(await readAuthorityChain(pem, termsOf(key, { now: Date.now() })));
  }
  type Stage = { readonly key?: readonly string[]; readonly more?: readonly string[] };

  test.each<[string, readonly Stage[], string]>([
    ["with all purposes, or without any", [{ more: [whole] }, {}], "ok"],
    ["whose root is for servers alone", [{ more: ["extendedKeyUsage=serverAuth"] }, {}], PURPOSES],
    ["whose middle is for clients alone", [{}, { more: ["extendedKeyUsage=clientAuth"] }], PURPOSES],
    ["whose root has RSA with 2048 bits", [{ key: ["RSA", "rsa_keygen_bits:2048"] }, {}], KEYS],
    ["whose middle is on P-521", [{}, { key: ["EC", "ec_paramgen_curve:P-521"] }], KEYS],
  ])("of a chain of three %s", { timeout: 60_000 }, async (_, stages, said) => {
    const why = said === "ok" ? said : `AUTHORITY_INVALID The chain is not taken: ${said}.`;
    expect(await chainOfThree(stages)).toBe(why);
  });
});

const termsOf = (key: SigningKey, more: Partial<ChainTerms> = {}): ChainTerms => ({
  trustDomain: "example.org",
  profiles: PROFILES,
  spki: key.spki,
  now: NOON,
  roots: [],
  known: [],
  ...more,
});

describe("a chain is verified whole", () => {
  type Made = { readonly key: SigningKey; readonly issuing: AuthorityCertificate; readonly root: AuthorityCertificate };

  async function made(
    change: (profiles: Profiles) => Profiles = (same) => same,
    trustDomain = "example.org",
  ): Promise<Made> {
    const key = memoryKey(generateKey("ECDSAP256"));
    const rootKey = memoryKey(generateKey("ECDSAP256"));
    const making = { ...MAKING, trustDomain, profiles: change(PROFILES) };
    const root = await signRoot(making, rootKey);
    return { key, root, issuing: await signIssuing(making, key, { certificate: root, key: rootKey }) };
  }

  const read = async ({ key, issuing, root }: Made, more: Partial<ChainTerms> = {}): Promise<string> =>
    whyOf(await readAuthorityChain(certificatesPem([issuing.der, root.der]), termsOf(key, more)));
  const refused = (why: string): string => `AUTHORITY_INVALID The chain is not taken: ${why}.`;
  const issuing = (more: Partial<Profiles["issuing"]>) => (profiles: Profiles) => ({
    ...profiles,
    issuing: { ...profiles.issuing, ...more },
  });

  test("one that is as the profiles say is taken, with its root in it or with one that is trusted already", async () => {
    const chain = await made();
    expect(await read(chain)).toBe("ok");
    const alone = certificatesPem([chain.issuing.der]);
    expect(whyOf(await readAuthorityChain(alone, termsOf(chain.key, { roots: [chain.root.der] })))).toBe("ok");
    expect(whyOf(await readAuthorityChain(alone, termsOf(chain.key)))).toBe(
      refused("its root is not in it, and is none that is trusted already"),
    );
  });

  test.each<[string, (profiles: Profiles) => Profiles, string]>([
    [
      "usages",
      issuing({ keyUsage: ["keyCertSign"] }),
      "its key usage is not that of profile issuing, critical (X509-SVID §3.2)",
    ],
    ["path length", issuing({ pathLength: 1 }), "its path length is not that of profile issuing, critical"],
    [
      "constraint",
      issuing({ constrained: false }),
      "its name constraints do not fix it to this trust domain, critical (RFC 5280 §4.2.1.10)",
    ],
    ["long life", issuing({ lifetimeSeconds: 100 * 86_400 }), "it holds for longer than profile issuing allows"],
    ["short life", issuing({ lifetimeSeconds: 86_000 }), "it ends before a certificate of the longest lifetime could"],
    [
      "root without room",
      (profiles) => ({ ...profiles, root: { ...profiles.root, pathLength: 0 } }),
      "more authorities stand below an issuer than it allows (RFC 5280 §4.2.1.9)",
    ],
  ])("another %s is refused", async (_, change, why) => {
    expect(await read(await made(change))).toBe(refused(why));
  });

  test("another key, another trust domain, another signer, a time that is over, and no chain at all are refused", async () => {
    const [chain, other] = [await made(), await made()];
    expect(await read({ ...chain, key: other.key })).toBe(
      refused("its key is not the one that the server requested it for"),
    );
    expect(await read(await made(undefined, "example.net"))).toBe(
      "AUTHORITY_INVALID The certificate is not one of an authority of this trust domain: it names another trust domain.",
    );
    expect(await read({ ...chain, root: other.root })).toBe(
      refused("an authority key identifier is not its issuer's subject key identifier (RFC 5280 §4.2.1.1)"),
    );
    expect(await read(chain, { now: NOON + 89.5 * DAY })).toBe(
      refused("it ends before a certificate of the longest lifetime could"),
    );
    expect(await read(chain, { now: NOON - DAY })).toMatch(/holds from .* to /);
    const spoilt = Buffer.from(chain.issuing.der);
    spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
    expect(await read({ ...chain, issuing: { ...chain.issuing, der: spoilt } })).toBe(
      refused("a certificate of the chain is not signed by the next"),
    );
    for (const text of ["", "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"])
      expect(whyOf(await readAuthorityChain(text, termsOf(chain.key)))).toMatch(/^AUTHORITY_INVALID /);
  });

  test("a root that another key signed is no root, nor one whose key is no point of its curve", async () => {
    const key = memoryKey(generateKey("ECDSAP256"));
    const { root, issuing: below } = await makeAuthorityPair(MAKING, key);
    const otherwise = Buffer.from(root.der);
    otherwise[otherwise.length - 1] = (otherwise.at(-1) ?? 0) ^ 1;
    const { spki } = readCertificate(root.der);
    const pointless = Buffer.from(root.der);
    pointless.fill(
      1,
      pointless.indexOf(spki.whole) + spki.whole.length - 64,
      pointless.indexOf(spki.whole) + spki.whole.length,
    );
    for (const spoilt of [otherwise, pointless])
      expect(whyOf(await readAuthorityChain(certificatesPem([below.der, spoilt]), termsOf(key)))).toBe(
        refused("its root is not signed by itself"),
      );
  });
});
