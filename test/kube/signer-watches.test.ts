import { expect, test } from "vitest";
import { podCertificateVersion, trustBundleVersion } from "../../src/kube/signer-watches.ts";

const [CSR, PCR, CTB] = ["certificatesigningrequests", "podcertificaterequests", "clustertrustbundles"];

/** What servers list under certificates.k8s.io, by version; a version that is left out is not there. */
const SERVERS: readonly (readonly [string, Readonly<Record<string, readonly (string | undefined)[]>>, object])[] = [
  ["1.36 as it comes", { v1: [CSR] }, { requests: undefined, bundles: undefined }],
  ["1.36 with its gates on", { v1: [CSR], v1beta1: [PCR, CTB] }, { requests: "v1beta1", bundles: "v1beta1" }],
  ["1.37", { v1: [CSR, PCR, CTB] }, { requests: "v1", bundles: "v1" }],
  [
    "1.37 that serves older kubelets",
    { v1: [CSR, PCR, CTB], v1beta1: [PCR, CTB] },
    { requests: "v1beta1", bundles: "v1" },
  ],
];

test.each(SERVERS)("on a server of %s the versions are chosen by what it has", async (_name, served, chosen) => {
  const client: Parameters<typeof podCertificateVersion>[0] = {
    call: ({ path }) => {
      const names = served[path.replace("/apis/certificates.k8s.io/", "")];
      const body = { resources: (names ?? []).map((name) => ({ name })) };
      return Promise.resolve({ status: names ? 200 : 404, body, headers: {} });
    },
  };
  expect({ requests: await podCertificateVersion(client), bundles: await trustBundleVersion(client) }).toEqual(chosen);
});

test("a server that does not say what it has is asked again, and not taken to have nothing", async () => {
  const client = { call: async () => ({ status: 503, body: { message: "later" }, headers: {} }) };
  await expect(podCertificateVersion(client)).rejects.toThrow("GET /apis/certificates.k8s.io/v1beta1: 503 later");
});
