import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newCsr, openDoor, podOf } from "../http/issuing/door.ts";
import { judges } from "./judges.ts";

const run = promisify(execFile);
/** What Istio's stubs over grpc-go make of an answer. */
type Answer = {
  readonly code: string;
  readonly message: string;
  readonly reasons: readonly string[];
  readonly chain: readonly string[];
};

let folder: string;
let program: string;
let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-grpc-"));
  program = (await judges(process.env, () => undefined)).grpc;
  door = await openDoor();
  door.world.tokens = new Map([["cart-token", podOf("web", "cart")]]);
}, 900_000);
afterAll(async () => {
  await door?.stop();
  rmSync(folder, { recursive: true });
});

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function create(token: string, csr: string, authority = door.serving): Promise<Answer> {
  const files = [file("ca.crt", authority), file("token", token), file("csr", csr)];
  const { stdout } = await run(program, [`127.0.0.1:${door.grpcPort}`, ...files]);
  return JSON.parse(stdout) as Answer;
}

test("grpc-go gets a certificate by a token, whole to the root", { timeout: 60_000 }, async () => {
  const { code, message, reasons, chain } = await create("cart-token", newCsr());
  expect({ code, message, reasons }).toEqual({ code: "OK", message: "", reasons: [] });
  const [leaf, issuing, root] = chain.map((pem) => new X509Certificate(pem));
  expect(leaf?.subjectAltName).toBe("DNS:cart.web.svc, URI:spiffe://example.org/ns/web/sa/cart");
  expect([issuing && leaf?.checkIssued(issuing), root && issuing?.checkIssued(root)]).toEqual([true, true]);
});

test("grpc-go is refused in words: a token that nobody knows, a request that is none", {
  timeout: 60_000,
}, async () => {
  expect(await create("stolen", newCsr())).toEqual({
    code: "Unauthenticated",
    message: "The API server does not accept this token for us.",
    reasons: ["TOKEN_REFUSED"],
    chain: null,
  });
  expect(await create("cart-token", "no request")).toMatchObject({ code: "InvalidArgument", reasons: ["CSR_INVALID"] });
});

test("grpc-go speaks to nobody whose certificate another authority signed", { timeout: 60_000 }, async () => {
  const other = await openDoor();
  try {
    expect(await create("cart-token", newCsr(), other.serving)).toMatchObject({
      code: "Unavailable",
      message: expect.stringContaining("certificate signed by unknown authority") as string,
    });
  } finally {
    await other.stop();
  }
});
