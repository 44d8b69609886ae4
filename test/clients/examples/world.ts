import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { issue } from "../../../src/ca/issue.ts";
import { certificatesPem } from "../../../src/ca/pem.ts";
import { csrOf, leafKey, podRequest, PROFILES, testAuthority, walkParts } from "../../fakes/ca.ts";
import { catalogueOf, must } from "../../fakes/judging.ts";
import { Mounted } from "./mounted.ts";

const CATALOGUE = catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: back}, spec: {segment: shop, match: {serviceAccounts: [back]}, identity: {dnsNames: [back.web.svc]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: other}, spec: {segment: shop, match: {serviceAccounts: [other]}}}
`);

/** A service account of the namespace `web` that has a role: two that talk, and one that is not meant. */
export type Account = "front" | "back" | "other";

export const idOf = (account: Account): string => `spiffe://example.org/ns/web/sa/${account}`;

/** An authority that issues to Pods of the namespace `web`, by Signet's own walk; real programs judge dates by the machine's clock. */
export type Authority = Awaited<ReturnType<typeof makeAuthority>>;

export async function makeAuthority() {
  const made = await testAuthority(PROFILES, "example.org", Date.now());
  const { parts } = walkParts(made.issuer, { catalogue: CATALOGUE, now: Date.now });
  return {
    root: certificatesPem([made.root.der]),
    issuing: certificatesPem([made.issuing.der]),
    /** A new key and its chain, in one text, as kubelet writes it. */
    issueTo: async (account: Account): Promise<string> => {
      const key = leafKey();
      const { chain } = must(await issue(podRequest(csrOf(key), "web", account), parts));
      return `${key.export({ type: "pkcs8", format: "pem" }).toString()}${certificatesPem(chain)}`;
    },
  };
}

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "signet-example-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A Pod's volumes, with a certificate of that authority and its root as the bundle. */
export async function mountedFor(account: Account, by: Authority, owner?: number): Promise<Mounted> {
  const mounted = new Mounted(join(temporaryFolder(), "signet.dev"), owner);
  mounted.write("trust", by.root);
  mounted.write("svid", await by.issueTo(account));
  return mounted;
}
