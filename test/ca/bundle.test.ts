import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { bundlePem, x509BundleKeys } from "../../src/ca/bundle.ts";
import { testAuthority } from "../fakes/ca.ts";

test("X9: a bundle's key says use x509-svid, has no kid, and exactly one certificate", async () => {
  const { root } = await testAuthority();
  const [key, ...more] = x509BundleKeys({ trustDomain: "example.org", roots: [root], sequence: 1 });
  expect(more).toEqual([]);
  expect(Object.keys(key ?? {}).sort()).toEqual(["crv", "kty", "use", "x", "x5c", "y"]);
  expect([key?.["use"], key?.["x5c"]]).toEqual(["x509-svid", [root.der.toString("base64")]]);
});

test("a bundle in PEM holds every root, one block each", async () => {
  const roots = [(await testAuthority()).root, (await testAuthority()).root];
  const blocks = bundlePem({ trustDomain: "example.org", roots, sequence: 2 }).split(
    /(?<=-----END CERTIFICATE-----\n)/,
  );
  expect(blocks.map((block) => new X509Certificate(block).raw)).toEqual(roots.map(({ der }) => der));
});
