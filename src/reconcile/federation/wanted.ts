import { type Catalogue, inForce } from "../../domain/catalogue.ts";
import type { BundleEndpoint, TrustDomain } from "../../domain/definitions.ts";
import type { Unwanted } from "./status.ts";

/** A trust domain whose bundle is wanted here; `name` is that of its TrustDomain. */
export type FederatedDomain = {
  readonly name: string;
  readonly uid: string;
  readonly domain: string;
  /** The approved generation that says where to fetch. */
  readonly generation: number;
  readonly endpoint: BundleEndpoint;
};

/** The domains whose bundles are fetched: approved, with an endpoint, and at least one role in force federates with each. */
export function federatedDomains({ definitions, roles, trustDomain }: Catalogue): readonly FederatedDomain[] {
  const named = new Set([...roles.values()].flatMap(({ federatesWith }) => federatesWith));
  return (definitions.foreignDomains ?? [])
    .filter((each) => inForce(each) && named.has(each.name) && each.domain !== trustDomain)
    .flatMap(federatedDomain);
}

function federatedDomain({ name, uid, domain, approval, bundleEndpoint }: TrustDomain): readonly FederatedDomain[] {
  if (!bundleEndpoint || uid === undefined) return [];
  const generation = approval.state === "approved" ? approval.generation : 0;
  return [{ name, uid, domain, generation, endpoint: bundleEndpoint }];
}

/** Why the bundle of this TrustDomain is not fetched, though it says where. */
export function unwantedBecause({ definitions, trustDomain }: Catalogue, uid: string): Unwanted {
  const found = definitions.foreignDomains?.find((each) => each.uid === uid);
  if (!found || !inForce(found)) return "NotApproved";
  return found.domain === trustDomain ? "OwnDomain" : "NotNeeded";
}
