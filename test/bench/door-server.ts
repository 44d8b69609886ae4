// `door-server.ts real|constant rest|grpc FILE`: one issuing door, as it is or with a constant answer. Writes into FILE with
// which key and SVID to call it.
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { makeAuthenticate } from "../../src/bin/issuing/callers.ts";
import { verifyInThread } from "../../src/bin/issuing/verifying-thread.ts";
import { presentExternal } from "../../src/bin/issuing/present.ts";
import { issue } from "../../src/ca/issue.ts";
import { stocked } from "../../src/ca/random-stock.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import { buildGrpcServer } from "../../src/http/grpc/server.ts";
import { issuingRoutes } from "../../src/http/issuing/routes.ts";
import type { Caller, Issuing } from "../../src/http/issuing/services.ts";
import { buildServer } from "../../src/http/server.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { renderIssuanceRecord } from "../../src/wire/issuance-record.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { csrOf, leafKey, podRequest, testAuthority, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { fakeServices } from "../fakes/web.ts";

const [, , mode, door, file = ""] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
const failed = (reason: string): never => {
  throw new Error(reason);
};
const ledger = await openLedger({ path: join(folder, "ledger.db"), version: "bench", now: Date.now, failed });
const authority = await testAuthority(undefined, undefined, Date.now());
const { parts: walk } = walkParts(authority.issuer, {
  now: Date.now,
  verify: verifyInThread(failed),
  random: stocked(randomBytes),
  record: (line) =>
    ledger.append([{ kind: "issuance", subject: line.subject, at: line.at, body: renderIssuanceRecord(line) }]),
});
const holder = presentExternal({
  kind: "Machine",
  namespace: "web",
  name: "vm",
  serviceAccount: "cart",
  labels: {},
  addresses: [],
  approval: { state: "unchecked" },
});
const pod = { ...holder, bearer: { ...holder.bearer, kind: "Pod" as const } };
// As the keeper of authorities gives them: the same until it has read its vault again.
const [anchors, chains] = [{ trustDomain: "example.org", roots: [authority.root.der] }, [[authority.issuing.der]]];
const authenticate = makeAuthenticate({
  nodeProxies: [],
  walk,
  tokens: {
    catalogue: () => walk.lookup().catalogue,
    key: () => undefined,
    issuer: undefined,
    record: () => Promise.resolve(),
    now: Date.now,
    newId: randomUUID,
  },
  anchors: () => anchors,
  chains: () => chains,
  holders: () => [pod],
  issuedTo: () => undefined,
  podsIn: () => [],
  byToken: () => Promise.resolve(refuse("TOKEN_REFUSED", "", "There are no tokens here.")),
});

const key = leafKey();
const shown = must(await issue(podRequest(csrOf(key)), walk));
const constant: Caller = {
  identity: "web/cart",
  issueSvid: () =>
    Promise.resolve(
      ok({
        spiffeId: shown.contents.spiffeId,
        serial: shown.contents.serial,
        certificates: certificatesPem(shown.chain),
        bundle: certificatesPem([authority.root.der]),
        ...shown.contents.window,
      }),
    ),
  issueToken: () => Promise.resolve(refuse("INTERNAL", "", "Not asked here.")),
  inNameOf: () => ok(constant),
};
const much = { burst: 1e9, perSecond: 1e9 };
const issuing: Issuing = {
  authenticate: mode === "constant" ? () => Promise.resolve(ok(constant)) : authenticate,
  documents: { bundle: () => "", keys: () => "", discovery: () => undefined, lists: () => undefined },
  monotonic: () => performance.now(),
  shares: { credential: much, failures: much, identity: much, asking: 1e9 },
};
const tls = await (await makeAuthority("tls")).server({ name: "signet" }, ["127.0.0.1"]);
const pair = { certificate: tls.cert, key: tls.key };
const http = buildServer(fakeServices(), {
  version: "0",
  pair,
  askCertificates: true,
  routes: [issuingRoutes(issuing)],
});
const grpc = buildGrpcServer(issuing, pair, {
  error: (fields) => void process.stderr.write(`${JSON.stringify(fields)}\n`),
});
const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
writeFileSync(file, `${pem}${certificatesPem(shown.chain)}`, { mode: 0o600 });
const port = await (door === "grpc" ? grpc : http).listen("127.0.0.1", 0);
process.stdout.write(`port ${port}\n`);
process.once("SIGTERM", () => {
  const ended = door === "grpc" ? grpc.stop(100) : http.drain(0, 100);
  void ended
    .then(() => ledger.close())
    .then(() => {
      rmSync(folder, { recursive: true });
      process.exit(0);
    });
});
