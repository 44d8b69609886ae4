import { hash } from "node:crypto";
import type { AuthorityCertificate } from "../../../ca/authority.ts";
import { readForeignBundle } from "../../../ca/foreign-bundle.ts";
import { certificatesPem } from "../../../ca/pem.ts";
import { identityOfLeaf } from "../../../ca/verify-svid.ts";
import { ok, type Problem, problemLine, refuse, type Result } from "../../../domain/problem.ts";
import type { Failure, ForeignRoot, HeldBundle, Look } from "../../../reconcile/federation/standing.ts";
import type { FederatedDomain } from "../../../reconcile/federation/wanted.ts";
import { type EndpointIdentity, fetchBundle } from "../../../remote/fetch-bundle.ts";

/** For one look, redirects included. */
const TIMEOUT_MS = 15_000;

/** Fetches the bundle of a domain and reads it; never throws. By a SPIFFE ID its server is verified with the newest bundle held. */
export async function lookAt(
  domain: FederatedDomain,
  held: HeldBundle | undefined,
  signal: AbortSignal,
): Promise<Look> {
  const { url } = domain.endpoint;
  const identity = identityOf(domain, held);
  if (!identity.ok) return nothing("BootstrapRefused", identity.problems);
  const text = await fetchBundle({
    url,
    timeoutMs: TIMEOUT_MS,
    signal,
    ...(identity.value ? { identity: identity.value } : {}),
  });
  if (!text.ok) return nothing("Unavailable", text.problems);
  const bundle = readForeignBundle(text.value, domain.domain);
  if (!bundle.ok) return nothing("Refused", bundle.problems);
  // Certificates alone can be published for kubelets: token keys have no place in a ClusterTrustBundle.
  const { roots, jwt: _jwt, ...rest } = bundle.value;
  return { got: "bundle", roots: roots.map(rootOf), ...rest };
}

const nothing = (reason: Failure["reason"], problems: readonly Problem[]): Look => ({
  got: "nothing",
  failure: { reason, message: problems.slice(0, 3).map(problemLine).join(" ") },
});

/** An authority as it is published. */
export const rootOf = ({ der, window }: Pick<AuthorityCertificate, "der" | "window">): ForeignRoot => ({
  pem: certificatesPem([der]),
  fingerprint: hash("sha256", der),
  notAfter: window.notAfter,
});

/** What is held counts for the generation that it was fetched by; whoever approves another says anew whom to believe. */
function identityOf(domain: FederatedDomain, held: HeldBundle | undefined): Result<EndpointIdentity | undefined> {
  const { endpoint } = domain;
  if (endpoint.profile === "https_web") return ok(undefined);
  const judge = (certificate: Buffer): string | undefined => strange(certificate, endpoint.spiffeId);
  if (held?.generation === domain.generation)
    return knownBy(
      held.roots.map(({ pem }) => pem),
      judge,
      "The bundle that is held",
    );
  const bootstrap = readForeignBundle(endpoint.bootstrap, domain.domain);
  if (!bootstrap.ok) return bootstrap;
  return knownBy(
    bootstrap.value.roots.map(({ der }) => certificatesPem([der])),
    judge,
    "The bootstrap bundle",
  );
}

/** Where there is no authority nobody can be known: the web's would be another's word. */
function knownBy(
  authorities: readonly string[],
  judge: EndpointIdentity["judge"],
  what: string,
): Result<EndpointIdentity> {
  if (authorities.length > 0) return ok({ authorities, judge });
  return refuse(
    "BUNDLE_UNAVAILABLE",
    "",
    `${what} has no authority that the endpoint could be known by.`,
    "Write a newer spec.bundleEndpoint.bootstrapBundle, and have it approved.",
  );
}

function strange(certificate: Buffer, wanted: string): string | undefined {
  const shown = identityOfLeaf(certificate);
  if (!shown.ok) return "its certificate is no X.509-SVID";
  return shown.value.id === wanted ? undefined : `it shows ${shown.value.id} and not ${wanted}`;
}
