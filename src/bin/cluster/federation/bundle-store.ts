import { problemLine } from "../../../domain/problem.ts";
import { federatedSigner } from "../../../domain/signers.ts";
import { certificatesIn } from "../../../ca/pem.ts";
import { readAuthority } from "../../../ca/read-authority.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { trustBundleVersion } from "../../../kube/signer-watches.ts";
import { clusterTrustBundles } from "../../../kube/trust-bundles.ts";
import { decideTrustBundles } from "../../../reconcile/certificates/trust-bundles.ts";
import type { ForeignRoot } from "../../../reconcile/federation/standing.ts";
import { FOREIGN_BUNDLES } from "../../../wire/manifests/names.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { rootOf } from "./look.ts";

type Client = Pick<KubeClient, "list" | "patch" | "delete" | "call">;

/** The ClusterTrustBundles of other domains, as they were seen last. */
export class ForeignBundles {
  readonly #client: Client;
  readonly #version: string;
  #seen: readonly Raw[];

  private constructor(client: Client, version: string, seen: readonly Raw[]) {
    this.#client = client;
    this.#version = version;
    this.#seen = seen;
  }

  /** Reads what is there; undefined where the API server has no ClusterTrustBundles. */
  static async read(client: Client): Promise<ForeignBundles | undefined> {
    const version = await trustBundleVersion(client);
    if (version === undefined) return undefined;
    const store = new ForeignBundles(client, version, []);
    await store.refresh();
    return store;
  }

  /** Reads anew what is there. */
  async refresh(): Promise<void> {
    const listed = await this.#client.list(clusterTrustBundles(this.#version));
    if (!listed.ok) throw new Error(listed.problems.map(problemLine).join("; "));
    this.#seen = listed.value.items.filter((object) => nameOf(object).startsWith(FOREIGN_BUNDLES));
  }

  /** What is published of a domain: its authorities, as far as they can be read. */
  published(trustDomainName: string, domain: string): readonly ForeignRoot[] {
    const signer = federatedSigner(trustDomainName);
    const found = this.#seen.find((object) => textAt(rawAt(object, "spec"), "signerName") === signer);
    const pem = found ? (textAt(rawAt(found, "spec"), "trustBundle") ?? "") : "";
    return (certificatesIn(pem) ?? []).flatMap((der) => {
      const read = readAuthority(der, domain);
      return read.ok ? [rootOf(read.value)] : [];
    });
  }

  /** Makes the API server hold these bundles, by the name of their TrustDomain, and no other; gives what it would not take. */
  async publish(foreign: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const refused = new Map<string, string>();
    for (const action of decideTrustBundles({ foreign, version: this.#version }, this.#seen)) {
      const name = action.do === "deleteTrustBundle" ? action.name : nameOf(action.object);
      const done = await (action.do === "deleteTrustBundle"
        ? this.#client.delete(clusterTrustBundles(this.#version), { name })
        : this.#client.patch(
            clusterTrustBundles(this.#version),
            { name },
            { type: "apply", body: action.object, fieldManager: "signet", force: true },
          ));
      const gone = action.do === "deleteTrustBundle";
      if (done.ok || (gone && done.problems[0]?.code === "NOT_FOUND"))
        this.#seen = [
          ...this.#seen.filter((object) => nameOf(object) !== name),
          ...(done.ok && !gone ? [done.value] : []),
        ];
      else refused.set(name, done.problems.map(problemLine).join("; "));
    }
    return refused;
  }
}

const nameOf = (object: Raw): string => textAt(rawAt(object, "metadata"), "name") ?? "";
