import { request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import { buildServer, type HttpServer } from "../../src/http/server.ts";
import type { Services } from "../../src/http/services.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { type Authority, type KeyPair, makeAuthority } from "../cluster/pki.ts";
import { must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const SELF = { header: "x-signet-self", value: "0123456789" };

let authority: Authority;
let server: HttpServer;
let port: number;

beforeAll(async () => {
  authority = await makeAuthority("test");
  const pair = await authority.server({ name: "signet" }, ["127.0.0.1"]);
  const catalogue = makeCatalogue(must(readDefinitions([])), "r");
  const services: Services = {
    catalogue: () => catalogue,
    now: () => 0,
    requireApproval: false,
    record: () => undefined,
    checks: () => [],
    readings: () => {
      throw new Error("nobody asks");
    },
    log: quietLog,
  };
  server = buildServer(services, {
    version: "0",
    pair: { certificate: pair.cert, key: pair.key },
    clients: { ca: authority.cert, names: ["kube-apiserver"], self: SELF },
  });
  port = await server.listen("127.0.0.1", 0);
});

afterAll(() => server.drain(0, 100));

const REVIEW = JSON.stringify({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "1",
    operation: "DELETE",
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    userInfo: { username: "ann" },
  },
});

function ask(path: string, client?: KeyPair, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const method = path === "/livez" ? "GET" : "POST";
    const options = { host: "127.0.0.1", port, path, method, ca: authority.cert, agent: false, ...client };
    const outgoing = request(
      { ...options, headers: { "content-type": "application/json", ...headers } },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      },
    );
    outgoing.once("error", reject);
    outgoing.end(method === "POST" ? REVIEW : undefined);
  });
}

test("where callers are named, the webhooks answer only them; health answers everybody", async () => {
  const stranger = await makeAuthority("stranger");
  const answers = {
    named: await ask("/validate", await authority.client({ name: "kube-apiserver" })),
    otherName: await ask("/validate", await authority.client({ name: "somebody" })),
    otherAuthority: await ask("/validate", await stranger.client({ name: "kube-apiserver" })),
    nobody: await ask("/mutate"),
    itself: await ask("/validate", undefined, { [SELF.header]: SELF.value }),
    guessing: await ask("/validate", undefined, { [SELF.header]: "012345678é" }),
    health: await ask("/livez"),
  };
  expect(answers).toEqual({
    named: 200,
    otherName: 401,
    otherAuthority: 401,
    nobody: 401,
    itself: 200,
    guessing: 401,
    health: 200,
  });
});
