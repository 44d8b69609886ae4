import { expect, test } from "vitest";
import { decideTrustBundles } from "../../../src/reconcile/certificates/trust-bundles.ts";
import { TRUST_BUNDLE } from "../../../src/wire/manifests/names.ts";

const bundle = (name: string, signerName: string, trustBundle: string) => ({
  metadata: { name },
  spec: { signerName, trustBundle },
});
const OURS = bundle(TRUST_BUNDLE, "signet.dev/svid", "ours");
const PARTNER = bundle("signet.dev:federated.partner:bundle", "signet.dev/federated.partner", "theirs");
const wanted = { own: "ours", foreign: new Map([["partner", "theirs"]]), version: "v1" };
const told = (...args: Parameters<typeof decideTrustBundles>) =>
  decideTrustBundles(...args).map((action) =>
    action.do === "applyTrustBundle" ? [action.object["metadata"], action.object["spec"], action.why] : action,
  );

test("our bundle stands under our signer alone, each foreign one under a signer name of its own", () => {
  expect(told(wanted, [])).toEqual([
    [{ name: PARTNER.metadata.name }, PARTNER.spec, "it is not there"],
    [{ name: "signet.dev:svid:bundle" }, { signerName: "signet.dev/svid", trustBundle: "ours" }, "it is not there"],
  ]);
});

test("what is as it should be is left alone, and what changed is written anew", () => {
  expect(told(wanted, [OURS, PARTNER])).toEqual([]);
  expect(told({ ...wanted, own: "newer" }, [OURS, PARTNER])).toEqual([
    [{ name: TRUST_BUNDLE }, { signerName: "signet.dev/svid", trustBundle: "newer" }, "its contents have changed"],
  ]);
});

test("a foreign bundle goes with its domain; ours and those of other signers stay", () => {
  const stranger = bundle("example.com:foo:bar", "example.com/foo", "x");
  expect(told({ foreign: new Map(), version: "v1" }, [OURS, PARTNER, stranger])).toEqual([
    { do: "deleteTrustBundle", name: PARTNER.metadata.name, why: "nobody federates with its domain any more" },
  ]);
});

test("it is written in the version that the API server has", () => {
  const [action] = decideTrustBundles({ ...wanted, version: "v1beta1" }, []);
  expect(action).toMatchObject({ object: { apiVersion: "certificates.k8s.io/v1beta1", kind: "ClusterTrustBundle" } });
});
