import { randomBytes, randomUUID } from "node:crypto";
import { type Agent, request } from "node:https";
import { verifyInPool } from "../../../src/ca/keys/verify-signature.ts";
import { makeAuthenticate, type CallerParts } from "../../../src/bin/issuing/callers.ts";
import { presentPod, type Present } from "../../../src/bin/issuing/present.ts";
import { issue } from "../../../src/ca/issue.ts";
import { toPem } from "../../../src/ca/pem.ts";
import type { TrustAnchors } from "../../../src/ca/verify-svid.ts";
import { makeTokenKey, signingKeyAt } from "../../../src/ca/tokens/key-set.ts";
import { ok, refuse, type Result } from "../../../src/domain/problem.ts";
import { issuingRoutes } from "../../../src/http/issuing/routes.ts";
import { buildGrpcServer, type GrpcLimits } from "../../../src/http/grpc/server.ts";
import type { Issuing, Shares } from "../../../src/http/issuing/services.ts";
import { buildServer, type HttpServer } from "../../../src/http/server.ts";
import type { Whereabouts } from "../../../src/identity/restricted.ts";
import type { IssuanceRecord } from "../../../src/wire/issuance-record.ts";
import { readPodFacts } from "../../../src/wire/pod-facts.ts";
import type { TokenRecord } from "../../../src/wire/token-record.ts";
import { makeAuthority } from "../../cluster/pki.ts";
import { csrOf, leafKey, podRequest, PROFILES, SHOP_CATALOGUE, testAuthority } from "../../fakes/ca.ts";
import { catalogueOf, must, NOON, objectsOf } from "../../fakes/judging.ts";
import { fakeServices } from "../../fakes/web.ts";

/** The presence of a Pod of an account, on node n1. */
export function podOf(namespace: string, account: string, name = `${account}-1`, owners = "[]"): Present {
  const [object] = objectsOf(`
apiVersion: v1
kind: Pod
metadata: {namespace: ${namespace}, name: ${name}, uid: ${name}-uid, ownerReferences: ${owners}}
spec: {serviceAccountName: ${account}, nodeName: n1, containers: [{name: app, image: app}]}
status: {phase: Running}
`);
  const present = object && presentPod(must(readPodFacts(object)));
  if (!present) throw new Error("a running Pod is there");
  return present;
}

/** An answer of the door. */
export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether it came over a connection that was there before. */
  readonly kept: boolean;
};

/** How a request is made: a token, a certificate chain with its key, both or neither. */
export type Asking = {
  readonly token?: string;
  readonly authorization?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly type?: string;
  readonly method?: string;
  /** Keeps the connection; left out, each request has one of its own. */
  readonly agent?: Agent;
};

/** The issuing doors over TLS, with real walks, an authority of their own, and Pods that the test names. */
export async function openDoor(shares: Partial<Shares> = {}, limits: Partial<GrpcLimits> = {}) {
  const [authority, tls, tokenKey] = [
    await testAuthority(),
    await makeAuthority("tls"),
    await makeTokenKey(NOON - 1000),
  ];
  const ledger: (IssuanceRecord | TokenRecord)[] = [];
  const world = {
    catalogue: catalogueOf(SHOP_CATALOGUE),
    pods: [podOf("web", "cart"), podOf("pay", "orders-db")] as Present[],
    /** Token text to the Pod it is bound to. */
    tokens: new Map<string, Present>(),
    /** Serial number to the place of the Pod that a certificate is known to have been issued to. */
    issuedTo: new Map<string, Whereabouts>(),
    lists: undefined as { readonly pem: string; readonly tag: string } | undefined,
    /** Judges tokens in place of the map. */
    judge: undefined as ((token: string) => Promise<Result<Present>>) | undefined,
    anchors: { trustDomain: "example.org", roots: [authority.root.der] } as TrustAnchors | undefined,
    chains: [[authority.issuing.der]] as readonly (readonly Buffer[])[],
    now: NOON,
    monotonic: 0,
    asked: 0,
    /** Whether the API server cannot be asked. */
    failing: false,
  };
  const record = (line: IssuanceRecord | TokenRecord) => Promise.resolve(void ledger.push(line));
  const lookup = () => ({ catalogue: world.catalogue, issuer: authority.issuer, profiles: PROFILES });
  const parts: CallerParts = {
    nodeProxies: ["istio-system/ztunnel"],
    walk: { lookup, record, now: () => world.now, random: randomBytes, verify: verifyInPool },
    tokens: {
      catalogue: () => world.catalogue,
      key: () => signingKeyAt([tokenKey], world.now),
      issuer: undefined,
      record,
      now: () => world.now,
      newId: randomUUID,
    },
    anchors: () => world.anchors,
    chains: () => world.chains,
    holders: (namespace, account) =>
      world.pods.filter(({ bearer }) => bearer.namespace === namespace && bearer.serviceAccount === account),
    issuedTo: (serial) => world.issuedTo.get(serial),
    podsIn: (namespace) => world.pods.filter(({ bearer }) => bearer.namespace === namespace),
    byToken: async (token) => {
      world.asked += 1;
      if (world.failing) throw new Error("the API server is away");
      if (world.judge) return world.judge(token);
      const pod = world.tokens.get(token);
      return pod ? ok(pod) : refuse("TOKEN_REFUSED", "", "The API server does not accept this token for us.");
    },
  };
  const issuing: Issuing = {
    authenticate: makeAuthenticate(parts),
    documents: {
      bundle: () => '{"keys":[]}\n',
      keys: () => '{"keys":[]}\n',
      discovery: () => undefined,
      lists: () => world.lists,
    },
    monotonic: () => world.monotonic,
    shares,
  };
  const pair = await tls.server({ name: "signet" }, ["127.0.0.1"]);
  const server: HttpServer = buildServer(fakeServices(), {
    version: "0",
    pair: { certificate: pair.cert, key: pair.key },
    askCertificates: true,
    routes: [issuingRoutes(issuing)],
  });
  const port = await server.listen("127.0.0.1", 0);
  const said: object[] = [];
  const log = { error: (fields: object) => void said.push(fields) };
  const grpc = buildGrpcServer(issuing, { certificate: pair.cert, key: pair.key }, log, limits);
  const grpcPort = await grpc.listen("127.0.0.1", 0);
  return {
    authority,
    /** The authority of the doors' own certificate, PEM. */
    serving: tls.cert,
    ledger,
    world,
    port,
    grpcPort,
    grpc,
    said,
    ask: (path: string, asking: Asking = {}) => send(port, path, asking),
    /** A current SVID of an account, as a client shows it. */
    svidOf: async (namespace: string, account: string) => {
      const key = leafKey();
      const request = podRequest(csrOf(key), namespace, account);
      const issued = must(await issue(request, parts.walk));
      ledger.length = 0;
      return {
        cert: issued.chain.map((der) => toPem("CERTIFICATE", der)).join(""),
        leaf: toPem("CERTIFICATE", issued.der),
        key: key.export({ type: "pkcs8", format: "pem" }).toString(),
        serial: issued.contents.serial,
      };
    },
    stop: async () => void (await Promise.all([server.drain(0, 100), grpc.stop(100)])),
  };
}

/** A PKCS#10 request in PEM for a new key. */
export const newCsr = (parts: Parameters<typeof csrOf>[2] = {}): string =>
  toPem("CERTIFICATE REQUEST", csrOf(leafKey(), "ECDSAP256", parts));

function send(port: number, path: string, asking: Asking): Promise<Answered> {
  const { token, authorization, cert, key, body, text, type = "application/json", method = "POST", agent } = asking;
  const payload = text ?? (body === undefined ? "" : JSON.stringify(body));
  const auth = authorization ?? (token === undefined ? undefined : `Bearer ${token}`);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: agent ?? false,
        rejectUnauthorized: false,
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        headers: {
          ...(method === "POST" ? { "Content-Type": type, "Content-Length": Buffer.byteLength(payload) } : {}),
          ...(auth === undefined ? {} : { Authorization: auth }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const read = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: read === "" ? {} : (JSON.parse(read) as Answered["body"]),
            kept: outgoing.reusedSocket,
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}
