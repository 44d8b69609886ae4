import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Authority, KeyPair, Subject } from "./pki.ts";

/** How a user proves who it is: by a client certificate, or by a bearer token. */
export type Proof = { readonly pair: KeyPair } | { readonly token: string };

/** A user of the cluster and the kubeconfig it works with. */
export type Credentials = { readonly proof: Proof; readonly kubeconfigPath: string };

/** Makes and remembers one client certificate and kubeconfig per (user, groups). */
export type CredentialStore = (subject: Subject, fileName?: string) => Promise<Credentials>;

/** The user that may do anything. */
export const ADMIN: Subject = { name: "kubernetes-admin", groups: ["system:masters"] };

/** Keeps kubeconfigs (mode 0600) in the `kubeconfig` folder of the state folder. */
export function makeCredentialStore(authority: Authority, stateDir: string, url: string): CredentialStore {
  const made = new Map<string, Promise<Credentials>>();
  const make = async (subject: Subject, file: string): Promise<Credentials> => {
    const proof = { pair: await authority.client(subject) };
    const kubeconfigPath = join(stateDir, file);
    await writeKubeconfig(kubeconfigPath, url, authority.cert, proof);
    return { proof, kubeconfigPath };
  };
  return (subject, fileName) => {
    const id = JSON.stringify([subject.name, [...(subject.groups ?? [])].sort()]);
    const known = made.get(id);
    if (known !== undefined) return known;
    const making = make(subject, fileName ?? kubeconfigFile(subject.name, id));
    made.set(id, making);
    return making;
  };
}

/** User names hold colons and slashes; the digest of `id` keeps two that read alike apart. */
export function kubeconfigFile(name: string, id: string): string {
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 8);
  return `kubeconfig/${name.replaceAll(/[^A-Za-z0-9.-]+/g, "-").slice(0, 80)}-${digest}`;
}

/** Writes a kubeconfig of mode 0600 with everything in it. */
export async function writeKubeconfig(path: string, server: string, ca: string, proof: Proof): Promise<void> {
  const text = stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": base64(ca) } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    users: [{ name: "test", user: userEntry(proof) }],
  });
  await writeFile(path, text, { mode: 0o600 });
}

function userEntry(proof: Proof): Readonly<Record<string, string>> {
  if ("token" in proof) return { token: proof.token };
  return { "client-certificate-data": base64(proof.pair.cert), "client-key-data": base64(proof.pair.key) };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
