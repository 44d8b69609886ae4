import { expect, test } from "vitest";
import type { CaTools } from "../../src/cli/ca/access.ts";
import { addCaCommand } from "../../src/cli/ca/command.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import type { AuthoritySet } from "../../src/reconcile/authority/authority-set.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { authorityStatus } from "../../src/reconcile/authority/status.ts";
import { type AuthorityWish, readAuthorityAnswer, readAuthorityAsk } from "../../src/wire/authority-ask.ts";
import { fakeIo } from "../fakes/io.ts";

const at = (text: string): number => Date.parse(text);
const NOON = at("2026-11-23T12:00:00Z");
const window = { notBefore: at("2026-11-01T00:00:00Z"), notAfter: at("2027-01-30T00:00:00Z") };
const FIRST = { id: "aaaaaaaaaaaaaaaaaaaa", root: "a0", state: "active", since: window.notBefore, window } as const;
const SECOND = {
  id: "bbbbbbbbbbbbbbbbbbbb",
  root: "b0",
  state: "published",
  since: NOON,
  publishedAt: NOON,
  window,
} as const;
const statusOf = (...authorities: AuthoritySet["authorities"]) => statusWhere(true, ...authorities);
const statusWhere = (ownRoots: boolean, ...authorities: AuthoritySet["authorities"]) =>
  authorityStatus(
    "example.org",
    { authorities, sequence: 2, paused: false },
    {
      now: NOON,
      pace: { ...PACE, usualLeafMs: 4 * 3_600_000 },
      ownRoots,
      served: 2,
      watchedMs: () => 0,
      lacking: () => [],
    },
  );
const STATUS = statusOf(FIRST, SECOND);

/** Runs a command over a server that shows this status, and does whatever it is asked. */
async function run(line: string, status = STATUS, files: Readonly<Record<string, string>> = {}) {
  const { io, printed } = fakeIo(files);
  const wishes: AuthorityWish[] = [];
  const tools: CaTools = {
    open: ({ state }) =>
      Promise.resolve(
        ok({
          status: () =>
            Promise.resolve(
              state === "elsewhere" ? refuse("FILE_UNREADABLE", "--state", "There is none.") : ok(status),
            ),
          ask: (wish) => {
            wishes.push(wish);
            return Promise.resolve(ok(wish.step === "csr" ? { csr: "PEM\n" } : {}));
          },
        }),
      ),
    makeRoot: (_, trustDomain, now) => Promise.resolve(ok({ trustDomain, keyId: "ab", notAfter: now, sha256: "cd" })),
    signRequest: ({ folder }, request, now) =>
      Promise.resolve(
        ok({ shown: { trustDomain: folder, keyId: "ef", notAfter: now, sha256: "12" }, chain: `signed ${request}` }),
      ),
  };
  const words = line.split(" ").filter((word) => word !== "");
  const code = await runCli(io, words, [addCaCommand(() => Promise.resolve(tools))]);
  return { code, ...printed, wishes };
}

test("`signet ca status` says where every authority stands since when, and what it waits for", async () => {
  const { code, out } = await run("ca status");
  expect([code, out]).toEqual([
    0,
    `Trust domain example.org, bundle 2
Stage published since 2026-11-23T12:00:00Z; next: readers have its root: it signs from 2026-11-23T12:15:00Z on, if nobody lacks it
AUTHORITY         STATE      SINCE                 ENDS                  NEXT WHEN
aaaaaaaaaaaaaaaa  active     2026-11-01T00:00:00Z  2027-01-30T00:00:00Z  its successor is prepared at 2026-12-16T00:00:00Z
bbbbbbbbbbbbbbbb  published  2026-11-23T12:00:00Z  2027-01-30T00:00:00Z  readers have its root: it signs from 2026-11-23T12:15:00Z on, if nobody lacks it
`,
  ]);
});

test("without an active authority its exit code says so", async () => {
  expect((await run("ca status -o json", statusOf({ ...FIRST, state: "revoked" }))).code).toBe(3);
});

test("where no server has run it is bad input", async () => {
  const { code, err } = await run("ca status --state elsewhere");
  expect([code, err]).toEqual([2, "signet: --state: There is none. [FILE_UNREADABLE]\n"]);
});

const TAINTED = statusOf({ ...FIRST, state: "tainted" }, { ...SECOND, state: "active" });

test.each<[string, AuthorityWish, typeof STATUS]>([
  ["ca rotate", { step: "request" }, STATUS],
  ["ca rotate --pause", { step: "pause" }, STATUS],
  ["ca rotate --resume", { step: "resume" }, STATUS],
  ["ca rotate --withdraw", { step: "withdraw", id: SECOND.id }, STATUS],
  ["ca rotate --rollback", { step: "activate", id: FIRST.id }, TAINTED],
  ["ca rotate --compromised --yes", { step: "condemn", id: FIRST.id, remove: "renewed" }, STATUS],
  ["ca rotate --compromised bbb --remove now --yes", { step: "condemn", id: SECOND.id, remove: "now" }, STATUS],
  ["ca rotate --tokens --compromised --yes", { step: "condemnTokens" }, STATUS],
])("`signet %s` asks the server for it", async (line, wish, status) => {
  const { code, wishes } = await run(line, status);
  expect([code, wishes]).toEqual([0, [wish]]);
});

test.each([
  ["ca rotate --rollback", "signet: No authority is tainted. [ROTATION_REFUSED]"],
  ["ca rotate --compromised ccc", "signet: --compromised: Not exactly one authority begins with ccc. [USAGE]"],
  [
    "ca rotate --tokens",
    "signet: --tokens: Keys for tokens turn by themselves every week, and are dropped all together. [USAGE]",
  ],
  [
    "ca rotate --tokens --compromised bbb --yes",
    "signet: --tokens: Keys for tokens turn by themselves every week, and are dropped all together. [USAGE]",
  ],
])("`signet %s` asks for nothing where nothing fits", async (line, said) => {
  const { code, err, wishes } = await run(line);
  expect([code, err.split("\n")[0], wishes]).toEqual([2, said, []]);
});

test("`signet ca rotate --plan` changes nothing", async () => {
  const { code, out, wishes } = await run("ca rotate --plan");
  expect([code, out.split("\n").length, wishes]).toEqual([0, 10, []]);
});

test("what follows when keys for tokens are dropped is printed first", async () => {
  const { code, out, wishes } = await run("ca rotate --tokens --compromised");
  expect([code, wishes, out]).toEqual([
    0,
    [],
    `The keys for tokens are in wrong hands, all of them: they are kept together.

at once            They leave bundle and key set, in other replicas within 5 seconds, and are destroyed here. A new key signs.

Who breaks, until when:
- every holder of a token, at most an hour old: until it asks for another one
- every verifier that keeps the keys, towards new tokens: until it reads them again; by the bundle's word after 5 minutes
- nobody else; but until then such a verifier takes a forged token for a true one: have it read the keys again

Nothing was done. With --yes it is.
`,
  ]);
});

test("a stolen key's plan is printed first: what happens when, and who breaks until when", async () => {
  const alone = statusOf(FIRST);
  const { code, out, wishes } = await run("ca rotate --compromised", alone);
  expect([code, wishes, out]).toEqual([
    0,
    [],
    `The key of authority aaaaaaaaaaaaaaaaaaaa (active since 2026-11-01T00:00:00Z) is in wrong hands.

at once               Our doors exchange no certificate that it signed: whoever renews by one needs a token or a new invitation.
at once               Another authority is made, its root published.
2026-11-23T12:15:00Z  The new authority signs. The stolen key signs nothing more for us, and is destroyed here.
2026-11-23T14:45:00Z  Its root leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- machines and functions that renew by certificate: from half of their certificate's life on, until they are invited anew (\`signet svid invite\`)
- every holder of a certificate by it, where revocation lists are checked: from when the new authority signs, for \`/v1/crl\` has no list of it any more, until it has another certificate
- whoever has not renewed at 2026-11-23T14:45:00Z: until it has another certificate
- nobody else; but until then whoever verifies by the bundle alone takes a forged certificate for a true one (\`--remove now\` ends that)

Nothing was done. With --yes it is.
`,
  ]);
  expect((await run("ca rotate --compromised --remove now", alone)).out).toBe(
    `The key of authority aaaaaaaaaaaaaaaaaaaa (active since 2026-11-01T00:00:00Z) is in wrong hands.

at once               Our doors exchange no certificate that it signed: whoever renews by one needs a token or a new invitation.
at once               Another authority is made, its root published.
at once               The new authority signs. The stolen key signs nothing more for us, and is destroyed here.
at once               Its root leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- every holder of a certificate by it, wherever a verifier has the bundle without its root: until it has another certificate; who renews in time has one by 2026-11-23T14:30:00Z
- every verifier that lacks the new root, towards new certificates: Pods get the bundle within 6 minutes, others when they read it again
- machines and functions that renew by certificate: until they are invited anew (\`signet svid invite\`)

Nothing was done. With --yes it is.
`,
  );
});

const OFFLINE = { ...FIRST, offline: true, root: "b0" } as const;
const planOf = (line: string, ...authorities: AuthoritySet["authorities"]) => planBy(line, statusOf(...authorities));
const planBy = async (line: string, status: typeof STATUS): Promise<string> =>
  (await run(`ca rotate --compromised${line}`, status)).out
    .split("is in wrong hands.\n\n")
    .slice(-1)
    .join("")
    .replace("\nNothing was done. With --yes it is.\n", "");
const CONDEMNED =
  "at once               Our doors exchange no certificate that it signed: whoever renews by one needs a token or a new invitation.\n";

test("below an offline root a stolen key signs on until a chain is brought, and the plan promises no time before", async () => {
  expect(await planOf("", OFFLINE)).toBe(`${CONDEMNED}\
when you bring it     A chain from the offline root: \`signet ca csr\`, \`sign\`, \`import\`. Until then it signs on, and its root stays in the bundle.
then                  The new authority signs: at once below a root that readers have, 15 min later below another. The stolen key signs nothing more for us, and is destroyed here.
150 min after that    If the new authority is below another root, this one leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- machines and functions that renew by certificate: from half of their certificate's life on, until they are invited anew (\`signet svid invite\`)
- every holder of a certificate by it, where revocation lists are checked: from when the new authority signs, for \`/v1/crl\` has no list of it any more, until it has another certificate
- whoever has not renewed 150 min after the new authority signs: until it has another certificate
- nobody else; but until then whoever verifies by the bundle alone takes a forged certificate for a true one (a chain below another root and \`--remove now\` end that)
- below the same root nothing is gained: it stays in the bundle, and who verifies by it alone believes the key until 2027-01-30T00:00:00Z; to end that sooner, certify the next authority by another root
`);
  expect(await planOf(" --remove now", OFFLINE)).toBe(`${CONDEMNED}\
when you bring it     A chain from the offline root: \`signet ca csr\`, \`sign\`, \`import\`. Until then it signs on, and its root stays in the bundle.
then                  The new authority signs. The stolen key signs nothing more for us, and is destroyed here.
then                  If the new authority is below another root, this one leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- every holder of a certificate by it, wherever a verifier has the bundle without its root: until it has another certificate; who renews in time has one 150 min after the new authority signs
- every verifier that lacks the new root, towards new certificates: Pods get the bundle within 6 minutes, others when they read it again
- machines and functions that renew by certificate: until they are invited anew (\`signet svid invite\`)
- below the same root nothing is gained: it stays in the bundle, and who verifies by it alone believes the key until 2027-01-30T00:00:00Z; to end that sooner, certify the next authority by another root
`);
});

test("an authority made here has no successor made here once roots are kept offline, and its own root leaves with it", async () => {
  expect(await planBy("", statusWhere(false, FIRST))).toBe(`${CONDEMNED}\
when you bring it     A chain from the offline root: \`signet ca csr\`, \`sign\`, \`import\`. Until then it signs on, and its root stays in the bundle.
then                  The new authority signs: at once below a root that readers have, 15 min later below another. The stolen key signs nothing more for us, and is destroyed here.
150 min after that    Its root leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- machines and functions that renew by certificate: from half of their certificate's life on, until they are invited anew (\`signet svid invite\`)
- every holder of a certificate by it, where revocation lists are checked: from when the new authority signs, for \`/v1/crl\` has no list of it any more, until it has another certificate
- whoever has not renewed 150 min after the new authority signs: until it has another certificate
- nobody else; but until then whoever verifies by the bundle alone takes a forged certificate for a true one (a chain and \`--remove now\` end that)
`);
  expect(await planBy(" --remove now", statusWhere(false, FIRST))).toBe(`${CONDEMNED}\
when you bring it     A chain from the offline root: \`signet ca csr\`, \`sign\`, \`import\`. Until then it signs on, and its root stays in the bundle.
then                  The new authority signs. The stolen key signs nothing more for us, and is destroyed here.
then                  Its root leaves the bundle: from then on nobody who has the bundle believes what the key signs.

Who breaks, until when:
- every holder of a certificate by it, wherever a verifier has the bundle without its root: until it has another certificate; who renews in time has one 150 min after the new authority signs
- every verifier that lacks the new root, towards new certificates: Pods get the bundle within 6 minutes, others when they read it again
- machines and functions that renew by certificate: until they are invited anew (\`signet svid invite\`)
`);
  expect(await planBy("", statusWhere(false, FIRST, SECOND))).toBe(await planOf("", FIRST, SECOND));
});

test("with a successor below the same root nobody waits for it, and the root stays in the bundle", async () => {
  expect(await planOf("", OFFLINE, SECOND)).toBe(`${CONDEMNED}\
at once               The next authority is there already.
2026-11-23T12:00:00Z  The new authority signs. The stolen key signs nothing more for us, and is destroyed here.
2026-11-23T14:30:00Z  It is revoked, but its root stays in the bundle.

Who breaks, until when:
- machines and functions that renew by certificate: from half of their certificate's life on, until they are invited anew (\`signet svid invite\`)
- every holder of a certificate by it, where revocation lists are checked: from when the new authority signs, for \`/v1/crl\` has no list of it any more, until it has another certificate
- its root stands above authority bbbbbbbbbbbbbbbbbbbb too and stays in the bundle: who verifies by it alone believes the key until 2027-01-30T00:00:00Z; to end that sooner, certify the next authority by another root
`);
});

test("an offline root is made, signs and is imported by commands", async () => {
  const files = { "next.csr": "REQUEST", "chain.pem": "CHAIN" };
  const made = await run("ca init --trust-domain example.org --out root");
  expect(made.out).toBe("Root of example.org: key ab, until 2026-11-23T12:00:00Z\nSHA-256 cd\n");
  expect((await run("ca csr")).out).toBe("PEM\n");
  const signed = await run("ca sign next.csr --root root", STATUS, files);
  expect([signed.out, signed.err]).toEqual([
    "signed REQUEST",
    "Issuing authority of root: key ef, until 2026-11-23T12:00:00Z\nSHA-256 12\n",
  ]);
  expect((await run("ca import chain.pem", STATUS, files)).wishes).toEqual([{ step: "import", chain: "CHAIN" }]);
});

const ASK = "0".repeat(32);

test.each([
  "",
  "{}",
  '{"step":"request"}',
  `{"ask":"${ASK}","wish":{"step":"revoke","id":"aa"}}`,
  `{"ask":"${ASK}","wish":{"step":"activate","id":"../x"}}`,
  `{"ask":"${ASK}","wish":{"step":"request","id":"aa"}}`,
  `{"ask":"${ASK}","wish":{"step":"condemn","id":"aa","remove":"never"}}`,
  `{"ask":"x","wish":{"step":"request"}}`,
])("nothing else can be asked for: %s", (text) => {
  expect(readAuthorityAsk(text).ok).toBe(false);
});

test("an answer counts for its own ask alone, and a refusal keeps its code and its words", () => {
  const problems = [{ code: "ROTATION_REFUSED", path: "", message: "Not now.", mend: "Wait." }];
  const text = JSON.stringify({ ask: ASK, problems });
  expect(readAuthorityAnswer(text, "1".repeat(32))).toBeUndefined();
  expect(readAuthorityAnswer(undefined, ASK)).toBeUndefined();
  expect(readAuthorityAnswer(text, ASK)).toEqual({ ok: false, problems });
  expect(readAuthorityAnswer(JSON.stringify({ ask: ASK, problems: [], csr: "PEM" }), ASK)).toEqual(ok({ csr: "PEM" }));
});
