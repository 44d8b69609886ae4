import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { connect as connectPlain, type Socket } from "node:net";
import { connect } from "node:tls";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { lookAt } from "../../src/bin/cluster/federation/look.ts";
import { besideBundleEndpoint } from "../../src/bin/issuing/open-bundle-endpoint.ts";
import type { AuthorityKeeper } from "../../src/ca/authority-keeper.ts";
import { issueOwnSvid } from "../../src/ca/own-svid.ts";
import type { HttpServer } from "../../src/http/server.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { afterLook, type Standing } from "../../src/reconcile/federation/standing.ts";
import { type PublicJwk, renderTrustBundle } from "../../src/wire/trust-bundle.ts";
import { walkParts } from "../fakes/ca.ts";
import { freePort } from "../fakes/free-port.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { keeperOver, memoryVault, workAll } from "../fakes/vault.ts";

const OWN = "spiffe://partner.org/ns/signet-system/sa/signet";
const DOMAIN =
  "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: partner.org}}";
const QUARANTINE = `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {identity: ${OWN}}, effect: revoke, reason: stolen}}`;
const never = new AbortController().signal;

function bundleOf(keeper: AuthorityKeeper): string {
  const { roots, sequence } = keeper.current().bundle;
  const x509 = roots.map(({ der }) => ({
    key: new X509Certificate(der).publicKey.export({ format: "jwk" }) as PublicJwk,
    certificate: der.toString("base64"),
  }));
  return renderTrustBundle({ x509, jwt: [], sequence, refreshHint: 300 });
}

/** A clock by which nobody ever comes too often. */
function leisurely(): () => number {
  let ms = 0;
  return () => (ms += 1000);
}

/** A Signet of trust domain partner.org: its authorities, one step at a time, and its bundle endpoint. Sockets judge by the real clock. */
async function partner(monotonic = leisurely()) {
  const now = Date.now();
  const keeper = keeperOver(
    memoryVault(),
    { wall: now, monotonic: 0 },
    {
      trustDomain: "partner.org",
      pace: () => ({ ...PACE, settleMs: 0 }),
    },
  );
  await workAll(keeper);
  const port = await freePort();
  const { parts } = walkParts(undefined, { catalogue: catalogueOf(DOMAIN), now: Date.now });
  const lookup = () => ({ ...parts.lookup(), issuer: keeper.current().issuer });
  const http = { listen: () => Promise.resolve(0), drain: () => Promise.resolve() } as unknown as HttpServer;
  const server = besideBundleEndpoint(http, {
    config: { bundleEndpoint: { host: "127.0.0.1", port } },
    log: quietLog,
    own: {
      authority: () => keeper.current().issuer?.facts.keyId,
      issue: () => issueOwnSvid({ ...parts, lookup }),
      bundle: () => bundleOf(keeper),
    },
    now: Date.now,
    monotonic,
  });
  await server.listen("127.0.0.1", 0);
  onTestFinished(() => server.drain(0, 0));
  await expect.poll(() => shownBy(port), { timeout: 10_000 }).toContain(`URI:${OWN}`);
  return { keeper, port };
}

/** Name, and the issuer's name, in the certificate that a port shows; none where no handshake is completed. */
const shownBy = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const { subjectAltName, issuer } = socket.getPeerX509Certificate() ?? {};
      resolve(`${subjectAltName} by ${issuer}`);
      socket.destroy();
    });
    socket.on("error", () => resolve("none"));
  });

/** Another Signet that federates with it, by what is in its TrustDomain: one look after the other. */
function follower(port: number, bootstrap: string, spiffeId = OWN) {
  let standing: Standing = {} as Standing;
  return async (): Promise<string> => {
    const endpoint = {
      url: `https://localhost:${port}/v1/bundle`,
      profile: "https_spiffe",
      spiffeId,
      bootstrap,
    } as const;
    const domain = { name: "partner", uid: "u", domain: "partner.org", generation: 1, endpoint: endpoint as never };
    const look = await lookAt(domain, standing.held, never);
    standing = afterLook(standing, look, 1, Date.now());
    return standing.failure?.message ?? `${standing.held?.roots.length} of sequence ${standing.held?.sequence}`;
  };
}

test("two Signets federate by https_spiffe: the root of one rotates, and the other follows without a gap", async () => {
  const { keeper, port } = await partner();
  const look = follower(port, bundleOf(keeper));
  expect(await look()).toBe("1 of sequence 1");
  const first = keeper.current().issuer?.facts.keyId ?? "";

  must(await keeper.step({ step: "request" }));
  for (let step = await keeper.work(); step?.step !== "publish"; step = await keeper.work());
  expect([await look(), keeper.current().issuer?.facts.keyId]).toEqual(["2 of sequence 2", first]);

  await workAll(keeper);
  const second = keeper.current().issuer?.facts.keyId ?? "";
  expect(second).not.toBe(first);
  const looks = new Set<string>();
  await expect
    .poll(
      async () => {
        looks.add(await look());
        return shownBy(port);
      },
      { timeout: 20_000 },
    )
    .toContain(`issuing authority ${second.slice(0, 16)}`);
  looks.add(await look());
  expect([...looks]).toEqual(["2 of sequence 2"]);

  must(await keeper.step({ step: "condemn", id: first, remove: "now" }));
  await workAll(keeper);
  expect(await look()).toMatch(/^1 of sequence \d+$/);
  expect(await follower(port, bundleOf(keeper))()).toMatch(/^1 of sequence \d+$/);
}, 60_000);

test("a server of the right domain is not believed under another name", async () => {
  const { keeper, port } = await partner();
  const other = "spiffe://partner.org/ns/web/sa/bundle";
  expect(await follower(port, bundleOf(keeper), other)()).toBe(
    `localhost:${port} gave no bundle: it shows ${OWN} and not ${other}.`,
  );
  const stranger = await partner();
  expect(await follower(port, bundleOf(stranger.keeper))()).toMatch(/ gave no bundle: unable to /);
}, 30_000);

test("the endpoint has the bundle alone, and each connection is for one request", async () => {
  const { keeper, port } = await partner();
  const ask = (path: string, method = "GET") =>
    new Promise<string>((resolve, reject) => {
      const asking = request({ host: "127.0.0.1", port, path, method, rejectUnauthorized: false }, (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () => resolve(`${answer.statusCode} ${answer.headers.connection} ${text}`));
      });
      asking.on("error", reject).end();
    });
  expect(await ask("/v1/bundle")).toBe(`200 close ${bundleOf(keeper)}`);
  expect([await ask("/v1/bundle", "POST"), await ask("/mutate", "POST"), await ask("/metrics")]).toEqual([
    "405 close ",
    "404 close ",
    "404 close ",
  ]);
}, 30_000);

test("whatever bytes come, in place of a handshake and after one, there is an answer or a close", async () => {
  const { keeper, port } = await partner();
  const sent = (socket: Socket, bytes: Uint8Array) =>
    new Promise<string>((resolve) => {
      let came = "";
      socket.on("data", (chunk: Buffer) => (came += chunk.toString("latin1")));
      socket.on("error", () => undefined).on("close", () => resolve(came));
      socket.end(bytes);
    });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc.string({ maxLength: 200 }).map((text) => Buffer.from(`GET /v1/bundle${text}\r\n\r\n`)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (each) => {
      await sent(connectPlain({ host: "127.0.0.1", port }), each);
      const secure = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
      expect(await sent(secure, each)).toMatch(/^$|^HTTP\/1\.1 [2-5]\d\d /);
    }),
    { numRuns: 40 },
  );
  expect(await follower(port, bundleOf(keeper))()).toBe("1 of sequence 1");
}, 60_000);

/** An endpoint by a clock that a test moves. `knocks` makes connections from 127.0.0.x: how many handshakes there were. */
async function door() {
  const clock = { ms: 0, pace: 1000 };
  const { port } = await partner(() => (clock.ms += clock.pace));
  clock.pace = 0;
  clock.ms += 60_000;
  const knock = (from: number, stay: boolean) =>
    new Promise<string>((resolve) => {
      const plain = connectPlain({ host: "127.0.0.1", localAddress: `127.0.0.${from}`, port });
      const socket = connect({ socket: plain, rejectUnauthorized: false });
      let how = "closed";
      socket.on("error", () => undefined).on("close", () => resolve(how));
      socket.on("secureConnect", () => {
        how = "in";
        if (!stay) return void socket.destroy();
        onTestFinished(() => void socket.destroy());
        resolve(how);
      });
    });
  const knocks = async (count: number, from: number, stay = false): Promise<Readonly<Record<string, number>>> => {
    const seen: Record<string, number> = {};
    for (let each = 0; each < count; each++) {
      const how = await knock(from, stay);
      seen[how] = (seen[how] ?? 0) + 1;
    }
    return seen;
  };
  return { clock, knocks };
}

test("whoever comes too often is closed before the handshake, and all together no more than fifty a second begin one", async () => {
  const { clock, knocks } = await door();
  expect([await knocks(25, 1), await knocks(20, 2)]).toEqual([{ in: 20, closed: 5 }, { in: 20 }]);
  for (const from of [3, 4, 5]) expect(await knocks(20, from)).toEqual({ in: 20 });
  expect(await knocks(1, 6)).toEqual({ closed: 1 });
  clock.ms += 1000;
  expect(await knocks(6, 1)).toEqual({ in: 5, closed: 1 });
  for (const from of [7, 8]) expect(await knocks(20, from)).toEqual({ in: 20 });
  expect(await knocks(6, 9)).toEqual({ in: 5, closed: 1 });
}, 30_000);

test("one address has sixteen connections at one time, and others find a place beside it", async () => {
  const { knocks } = await door();
  expect([await knocks(18, 1, true), await knocks(1, 2)]).toEqual([{ in: 16, closed: 2 }, { in: 1 }]);
}, 30_000);

test("Signet's own certificate is in the ledger, follows no role, and is not issued against a Restriction", async () => {
  const keeper = keeperOver(memoryVault(), { wall: Date.now(), monotonic: 0 }, { trustDomain: "partner.org" });
  await workAll(keeper);
  const made = (text: string) => {
    const { parts, ledger } = walkParts(keeper.current().issuer, { catalogue: catalogueOf(text), now: Date.now });
    return { ledger, svid: issueOwnSvid(parts) };
  };
  const { ledger, svid } = made(DOMAIN);
  const { spiffeId, window, authority } = must(await svid);
  expect(spiffeId).toBe(OWN);
  expect(ledger).toEqual([
    expect.objectContaining({
      door: "own",
      caller: "signet",
      subject: "Signet",
      role: "",
      segment: "",
      authority,
      ...window,
    }),
  ]);
  const restricted = made(`${DOMAIN}\n---\n${QUARANTINE}`);
  expect(await restricted.svid).toMatchObject({ ok: false, problems: [{ code: "IDENTITY_RESTRICTED" }] });
  expect(restricted.ledger).toEqual([]);
});
