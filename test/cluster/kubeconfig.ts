import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Authority, KeyPair, Subject } from "./pki.ts";

/** A user of the cluster with a client certificate of its own. */
export type Credentials = { readonly subject: Subject; readonly pair: KeyPair; readonly kubeconfigPath: string };

/** Makes and remembers one client certificate and kubeconfig per (user, groups). */
export type CredentialStore = (subject: Subject, fileName?: string) => Promise<Credentials>;

/** The user that may do anything. */
export const ADMIN: Subject = { name: "kubernetes-admin", groups: ["system:masters"] };

/** Keeps kubeconfigs (mode 0600) in the `kubeconfig` folder of the state folder. */
export function makeCredentialStore(authority: Authority, stateDir: string, url: string): CredentialStore {
  const made = new Map<string, Promise<Credentials>>();
  const make = async (subject: Subject, file: string): Promise<Credentials> => {
    const pair = await authority.client(subject);
    const kubeconfigPath = join(stateDir, file);
    await writeFile(kubeconfigPath, kubeconfig(url, authority.cert, subject, pair), { mode: 0o600 });
    return { subject, pair, kubeconfigPath };
  };
  return (subject, fileName) => {
    const id = JSON.stringify([subject.name, [...(subject.groups ?? [])].sort()]);
    const known = made.get(id);
    if (known !== undefined) return known;
    const making = make(subject, fileName ?? `kubeconfig/${safeName(subject.name, id)}`);
    made.set(id, making);
    return making;
  };
}

/** User names hold colons and slashes; the digest keeps two that read alike apart. */
function safeName(name: string, id: string): string {
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 8);
  return `${name.replaceAll(/[^A-Za-z0-9.-]+/g, "-").slice(0, 80)}-${digest}`;
}

function kubeconfig(url: string, ca: string, subject: Subject, pair: KeyPair): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server: url, "certificate-authority-data": base64(ca) } }],
    contexts: [{ name: "test", context: { cluster: "test", user: subject.name } }],
    users: [
      {
        name: subject.name,
        user: { "client-certificate-data": base64(pair.cert), "client-key-data": base64(pair.key) },
      },
    ],
  });
}
