import { connect } from "node:http2";
import { Agent } from "node:https";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { keyIdOf } from "../../../src/ca/der/extensions.ts";
import { readCertificate } from "../../../src/ca/read-certificate.ts";
import { SHOP_CATALOGUE, testAuthority } from "../../fakes/ca.ts";
import { catalogueOf, NOON } from "../../fakes/judging.ts";
import { newCsr, openDoor, podOf } from "./door.ts";
import { callOver, certificateRequest, framed } from "./grpc-call.ts";

// A connection may be kept for an hour. Who it was when it began is no answer to who may ask over it now.

type Door = Awaited<ReturnType<typeof openDoor>>;
let door: Door;

beforeAll(async () => {
  door = await openDoor({ credential: { burst: 1000, perSecond: 1000 }, failures: { burst: 1000, perSecond: 1000 } });
});
afterAll(() => door.stop());

function restore(): void {
  const { root, issuing } = door.authority;
  door.world.now = NOON;
  door.world.catalogue = catalogueOf(SHOP_CATALOGUE);
  door.world.pods = [podOf("web", "cart")];
  door.world.anchors = { trustDomain: "example.org", roots: [root.der] };
  door.world.chains = [[issuing.der]];
}
beforeEach(restore);

type Svid = Awaited<ReturnType<Door["svidOf"]>>;

/** One connection, and what the next request over it comes to: `issued`, or the code of its refusal. */
type Kept = { readonly ask: () => Promise<string>; readonly end: () => void };

function keptRest({ leaf: cert, key }: Svid): Kept {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let kept = false;
  return {
    ask: async () => {
      const answer = await door.ask("/v1/svids", { cert, key, agent, body: { csr: newCsr() } });
      expect(answer.kept).toBe(kept);
      kept = answer.status === 200;
      return kept ? "issued" : String(answer.body["code"]);
    },
    end: () => agent.destroy(),
  };
}

function keptGrpc({ leaf: cert, key }: Svid): Kept {
  const session = connect(`https://127.0.0.1:${door.grpcPort}`, { rejectUnauthorized: false, cert, key });
  return {
    ask: async () => {
      const { status, reason } = await callOver(session, { body: framed(certificateRequest(newCsr())) });
      return status === 0 ? "issued" : reason;
    },
    end: () => session.destroy(),
  };
}

const restricting = (target: string, effect: string) => () => {
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: r-1}, spec: {target: ${target}, effect: ${effect}, reason: It leaked.}}
`);
};

test.each<[string, (svid: Svid) => unknown, string]>([
  ["its certificate has ended", () => (door.world.now = NOON + 86_400_000), "SVID_INVALID"],
  ["the clock is back before it began", () => (door.world.now = NOON - 86_400_000), "SVID_INVALID"],
  [
    "its serial number is revoked",
    ({ serial }) => restricting(`{serial: "${serial}"}`, "revoke")(),
    "IDENTITY_RESTRICTED",
  ],
  [
    "its identity is revoked",
    restricting('{identity: "spiffe://example.org/ns/web/sa/cart"}', "revoke"),
    "IDENTITY_RESTRICTED",
  ],
  ["its segment is in quarantine", restricting("{segment: shop}", "quarantine"), "IDENTITY_RESTRICTED"],
  ["nobody runs under it", () => (door.world.pods = []), "CALLER_UNKNOWN"],
  [
    "its root is pruned",
    async () => (door.world.anchors = { trustDomain: "example.org", roots: [(await testAuthority()).root.der] }),
    "SVID_INVALID",
  ],
  ["its authority is withdrawn", () => (door.world.chains = []), "SVID_INVALID"],
  [
    "the key of its authority is stolen",
    () => {
      const { root, issuing } = door.authority;
      const stolen = keyIdOf(readCertificate(issuing.der).spki.whole).toString("hex");
      door.world.anchors = { trustDomain: "example.org", roots: [root.der], compromised: [stolen] };
    },
    "AUTHORITY_COMPROMISED",
  ],
  ["it is not known whom to believe", () => (door.world.anchors = undefined), "AUTHORITY_UNAVAILABLE"],
])("a caller whose connection stays is refused at once when %s, and no longer than that", async (_, change, code) => {
  const svid = await door.svidOf("web", "cart");
  for (const kept of [keptRest(svid), keptGrpc(svid)]) {
    const before = [await kept.ask(), await kept.ask()];
    await change(svid);
    const changed = await kept.ask();
    restore();
    expect([...before, changed, await kept.ask()]).toEqual(["issued", "issued", code, "issued"]);
    kept.end();
  }
});

test("while nothing has changed, the signatures of a connection's certificates are looked at once", async () => {
  const { roots } = door.world.anchors ?? { roots: [] };
  let looks = 0;
  door.world.anchors = {
    trustDomain: "example.org",
    get roots() {
      looks += 1;
      return roots;
    },
  };
  const kept = keptGrpc(await door.svidOf("web", "cart"));
  const looked = [];
  for (const answer of ["issued", "issued", "issued"]) {
    // The answer holds the roots, which is one look more.
    expect(await kept.ask()).toBe(answer);
    looked.push(looks);
  }
  kept.end();
  expect(looked).toEqual([3, 4, 5]);
});
