import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readForeignBundle } from "../../src/ca/foreign-bundle.ts";
import { issueOwnSvid } from "../../src/ca/own-svid.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { makeTokenKey, publicTokenKeys } from "../../src/ca/tokens/key-set.ts";
import { buildBundleEndpoint } from "../../src/http/bundle-endpoint.ts";
import { type PublicJwk, readTrustBundle, renderTrustBundle } from "../../src/wire/trust-bundle.ts";
import { PROFILES, testAuthority, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { judges } from "./judges.ts";

const run = promisify(execFile);
let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-bundles-"));
  program = (await judges(process.env, () => undefined)).go;
}, 900_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** The bundle as go-spiffe writes it, after it has read it. */
async function rewritten(text: string): Promise<string> {
  const path = join(folder, "bundle.json");
  writeFileSync(path, text);
  return (await run(program, ["example.org", path])).stdout;
}

const x509Of = ({ root: { der } }: Awaited<ReturnType<typeof testAuthority>>) => ({
  key: new X509Certificate(der).publicKey.export({ format: "jwk" }) as PublicJwk,
  certificate: der.toString("base64"),
});

async function bundle(): Promise<string> {
  const authorities = await Promise.all(
    (["ECDSAP256", "RSA3072"] as const).map((keyType) =>
      testAuthority({ ...PROFILES, root: { ...PROFILES.root, keyType } }, "example.org", Date.now()),
    ),
  );
  const x509 = authorities.map(x509Of);
  const jwt = publicTokenKeys([await makeTokenKey(Date.now())]);
  return renderTrustBundle({ x509, jwt, sequence: 7, refreshHint: 300 });
}

test("go-spiffe reads our bundle whole, and we read the one that it writes of it", { timeout: 60_000 }, async () => {
  const ours = await bundle();
  const theirs = await rewritten(ours);
  const [one, two] = [ours, theirs].map((text) => must(readTrustBundle(text)));
  const sorted = (texts: readonly string[] = []) => texts.toSorted();
  expect(sorted(two?.x509.map(({ certificate }) => certificate))).toEqual(
    sorted(one?.x509.map(({ certificate }) => certificate)),
  );
  expect([two?.jwt.map(({ kid }) => kid), two?.sequence, two?.refreshHint]).toEqual([
    one?.jwt.map(({ kid }) => kid),
    7,
    300,
  ]);
  expect(must(readForeignBundle(theirs, "example.org")).roots).toHaveLength(2);
});

test("go-spiffe fetches our bundle by https_spiffe, and from nobody else of the domain", {
  timeout: 60_000,
}, async () => {
  const authority = await testAuthority(PROFILES, "example.org", Date.now());
  const own = must(await issueOwnSvid(walkParts(authority.issuer, { now: Date.now }).parts));
  const known = renderTrustBundle({ x509: [x509Of(authority)], jwt: [], sequence: 1 });
  const served = await bundle();
  const endpoint = buildBundleEndpoint(() => served, performance.now.bind(performance));
  endpoint.renew({
    certificate: certificatesPem(own.chain),
    key: own.key.export({ type: "pkcs8", format: "pem" }).toString(),
  });
  const port = await endpoint.listen("127.0.0.1", 0);
  onTestFinished(() => endpoint.stop(0));
  const path = join(folder, "known.json");
  writeFileSync(path, known);
  const url = `https://127.0.0.1:${port}/v1/bundle`;
  const fetched = (id: string) => run(program, ["fetch", "example.org", path, url, id]);
  const { stdout } = await fetched("spiffe://example.org/ns/signet-system/sa/signet");
  expect(JSON.parse(stdout)).toEqual(JSON.parse(await rewritten(served)));
  await expect(fetched("spiffe://example.org/ns/web/sa/cart")).rejects.toThrow(/unexpected ID/);
  writeFileSync(path, renderTrustBundle({ x509: [x509Of(await testAuthority())], jwt: [], sequence: 1 }));
  await expect(fetched(own.spiffeId)).rejects.toThrow(/unknown authority/);
});

test("what go-spiffe refuses, we refuse", { timeout: 60_000 }, async () => {
  const { keys } = JSON.parse(await bundle()) as { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  const [first = {}, second = {}, token = {}] = keys;
  const wrong = [
    { keys: [{ ...first, x5c: undefined }] },
    { keys: [{ ...first, x5c: [(first["x5c"] as string[])[0], (second["x5c"] as string[])[0]] }] },
    { keys: [{ ...first, x: second["n"] }] },
    { keys: [{ ...first, x5c: second["x5c"] }] },
    { keys: [{ ...token, kid: undefined }] },
    {},
  ];
  for (const each of wrong) {
    const text = JSON.stringify(each);
    expect([text.slice(0, 60), readForeignBundle(text, "example.org").ok]).toEqual([text.slice(0, 60), false]);
    await expect(rewritten(text), text.slice(0, 60)).rejects.toThrow();
  }
});
