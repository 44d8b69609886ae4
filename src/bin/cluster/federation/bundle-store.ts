import { problemLine } from "../../../domain/problem.ts";
import { federatedSigner } from "../../../domain/signers.ts";
import { certificatesIn } from "../../../ca/pem.ts";
import { readAuthority } from "../../../ca/read-authority.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { reasonOf } from "../../../kube/log.ts";
import { trustBundleVersion } from "../../../kube/signer-watches.ts";
import { clusterTrustBundles } from "../../../kube/trust-bundles.ts";
import { decideTrustBundles, type TrustBundleAction } from "../../../reconcile/certificates/trust-bundles.ts";
import type { Published } from "../../../reconcile/federation/status.ts";
import { FOREIGN_BUNDLES } from "../../../wire/manifests/names.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { rootOf } from "./look.ts";

/** What the API server did not do with a bundle, and why. `pem`: what was to be published; undefined where it was to go. */
export type Refused = { readonly did: "publish" | "delete"; readonly pem: string | undefined; readonly reason: string };

/** What came of publishing, by the name of the TrustDomain: what was refused, and whose try was left for later. */
export type Tried = { readonly refused: ReadonlyMap<string, Refused>; readonly left: ReadonlySet<string> };

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

  /** What is published of a domain: its authorities, as far as they can be read; not before its object was made. */
  published(trustDomainName: string, domain: string): Published {
    const signer = federatedSigner(trustDomainName);
    const found = this.#seen.find((object) => textAt(rawAt(object, "spec"), "signerName") === signer);
    const pem = found ? (textAt(rawAt(found, "spec"), "trustBundle") ?? "") : "";
    const roots = (certificatesIn(pem) ?? []).flatMap((der) => {
      const read = readAuthority(der, domain);
      return read.ok ? [rootOf(read.value)] : [];
    });
    return { roots, since: Date.parse(textAt(rawAt(found ?? {}, "metadata"), "creationTimestamp") ?? "") || 0 };
  }

  /**
   * Makes the API server hold these bundles, by the name of their TrustDomain, and no other besides those that are `awaited`,
   * which stay as they are. What was refused and `waits` is left for later, but only where the same is to be done again: a
   * root or a domain that is not believed any more waits for nothing. One that is refused does not keep the others.
   */
  async publish(
    foreign: ReadonlyMap<string, string>,
    awaited: ReadonlySet<string>,
    waits: ReadonlyMap<string, Refused>,
  ): Promise<Tried> {
    const refused = new Map<string, Refused>();
    const left = new Set<string>();
    const seen = this.#seen.filter((object) => !awaited.has(trustDomainOf(nameOf(object))));
    for (const action of decideTrustBundles({ foreign, version: this.#version }, seen)) {
      const gone = action.do === "deleteTrustBundle";
      const name = gone ? action.name : nameOf(action.object);
      const domain = trustDomainOf(name);
      const [did, pem] = gone ? (["delete", undefined] as const) : (["publish", foreign.get(domain)] as const);
      const before = waits.get(domain);
      if (before?.did === did && before.pem === pem) {
        left.add(domain);
        continue;
      }
      const reason = await this.#does(action, name).catch(reasonOf);
      if (reason !== undefined) refused.set(domain, { did, pem, reason });
    }
    return { refused, left };
  }

  /** Gives why the API server refused it. */
  async #does(action: TrustBundleAction, name: string): Promise<string | undefined> {
    const resource = clusterTrustBundles(this.#version);
    const gone = action.do === "deleteTrustBundle";
    const done = await (gone
      ? this.#client.delete(resource, { name })
      : this.#client.patch(
          resource,
          { name },
          { type: "apply", body: action.object, fieldManager: "signet", force: true },
        ));
    if (!done.ok && !(gone && done.problems[0]?.code === "NOT_FOUND")) return done.problems.map(problemLine).join("; ");
    const others = this.#seen.filter((object) => nameOf(object) !== name);
    this.#seen = done.ok && !gone ? [...others, done.value] : others;
    return undefined;
  }
}

const nameOf = (object: Raw): string => textAt(rawAt(object, "metadata"), "name") ?? "";

/** The TrustDomain that a bundle is published for, by the bundle's name. */
const trustDomainOf = (name: string): string => name.slice(FOREIGN_BUNDLES.length).replace(/:bundle$/, "");
