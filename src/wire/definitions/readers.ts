import { parseAddress } from "../../domain/cidr.ts";
import type { Static } from "typebox";
import type {
  BundleEndpoint,
  ExternalWorkload,
  Restriction,
  RestrictionTarget,
  Role,
  Segment,
  TrustDomain,
} from "../../domain/definitions.ts";
import { DEFAULT_TERMS } from "../../domain/approvals.ts";
import { ok, type Result } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import { WORKLOAD_KINDS } from "../../domain/workload.ts";
import { isBundleUrl } from "../bundle-url.ts";
import type { FieldPath } from "../documents.ts";
import { EXTERNAL_WORKLOAD } from "../kinds/external-workload.ts";
import { RESTRICTION } from "../kinds/restriction.ts";
import { SEGMENT } from "../kinds/segment.ts";
import { ENDPOINT_DOMAIN, ENDPOINT_PROFILE, TRUST_DOMAIN } from "../kinds/trust-domain.ts";
import { WORKLOAD_ROLE } from "../kinds/workload-role.ts";
import type { KubeObject } from "../objects.ts";
import { type Raw, rawAt, refuseAt, textAt } from "../read-object.ts";
import { readInForce } from "./in-force.ts";
import { defined, namespaceOf, secondsAt, textMapAt } from "./parts.ts";
import { SENSELESS, selectorOf, senselessRequirement } from "./selector.ts";

const DEFAULT_LEAF_SECONDS = 4 * 3600;
const CLASSIFIED_LEAF_SECONDS = 3600;

/** Reads a TrustDomain. */
export function readTrustDomain(object: KubeObject): Result<TrustDomain> {
  const read = readInForce(TRUST_DOMAIN, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const ttl = secondsAt(spec.leaf?.maxTTL, object, [...specPath, "leaf", "maxTTL"]);
  if (!ttl.ok) return ttl;
  const endpoint = readEndpoint(spec, object, [...specPath, "bundleEndpoint"]);
  if (!endpoint.ok) return endpoint;
  return ok({
    ...definition,
    domain: spec.domain,
    leafMaxTtlSeconds: ttl.value ?? DEFAULT_LEAF_SECONDS,
    leafKeyType: spec.leaf?.keyType ?? "ECDSAP256",
    approvals: { ...DEFAULT_TERMS, ...defined(spec.approvals ?? {}) },
    ...(endpoint.value ? { bundleEndpoint: endpoint.value } : {}),
  });
}

type DomainSpec = Static<(typeof TRUST_DOMAIN)["spec"]>;

/** Profile and parameters fit each other (SPIFFE Federation §5.2.2.2), and the URL is one that programs read alike. */
function readEndpoint(
  { domain, bundleEndpoint: endpoint }: DomainSpec,
  object: KubeObject,
  path: FieldPath,
): Result<BundleEndpoint | undefined> {
  if (!endpoint) return ok(undefined);
  const { url, profile, endpointSpiffeID: spiffeId, bootstrapBundle: bootstrap } = endpoint;
  const refused = (field: string, code: ProblemCode, message: string) =>
    refuseAt(object, [...path, field], { code, message });
  if (!isBundleUrl(url)) return refused("url", "FIELD_INVALID", `"${url}" is not an https URL without user info.`);
  const both = spiffeId !== undefined && bootstrap !== undefined;
  if (both ? profile !== "https_spiffe" : profile !== "https_web" || spiffeId !== undefined || bootstrap !== undefined)
    return refused("profile", "FIELD_CONFLICT", `${ENDPOINT_PROFILE}.`);
  if (!both) return ok({ url, profile: "https_web" });
  if (!spiffeId.startsWith(`spiffe://${domain}/`))
    return refused("endpointSpiffeID", "FIELD_CONFLICT", `${ENDPOINT_DOMAIN}.`);
  return ok({ url, profile: "https_spiffe", spiffeId, bootstrap });
}

/** Reads a Segment; a classification brings strict isolation, approval of policies and one-hour leaves by default. */
export function readSegment(object: KubeObject): Result<Segment> {
  const read = readInForce(SEGMENT, object);
  if (!read.ok) return read;
  const { spec, specPath, definition, approved } = read.value;
  const ttl = secondsAt(spec.leaf?.maxTTL, object, [...specPath, "leaf", "maxTTL"]);
  const longest = secondsAt(spec.exceptions?.maxDuration, object, [...specPath, "exceptions", "maxDuration"]);
  if (!ttl.ok) return ttl;
  if (!longest.ok) return longest;
  const brought = spec.classification === undefined ? PLAIN : CLASSIFIED;
  return ok({
    ...definition,
    ...defined({
      environment: spec.environment,
      classification: spec.classification,
      owner: spec.owner,
      leafMaxTtlSeconds: ttl.value ?? brought.leafMaxTtlSeconds,
      exceptionMaxSeconds: longest.value,
    }),
    namespaces: [],
    intra: "deny",
    mode: "observe",
    ...brought.rules,
    ...defined({
      namespaces: spec.namespaces,
      intra: spec.intra,
      mode: spec.mode,
      isolation: spec.isolation,
      policyApproval: spec.policyApproval,
    }),
    ...fallbackOf(spec, approved, object),
    namespaceUids: textMapAt(approved, "namespaceUIDs"),
    canary: { workloads: [], namespaces: [], ...defined(spec.canary ?? {}) },
  });
}

type SegmentSpec = Static<(typeof SEGMENT)["spec"]>;

/**
 * What a watchdog made of a segment (product rules, "Enrolment and modes"): it counts only where the approved spec allows it,
 * and until another generation comes into force.
 */
function fallbackOf({ fallback, mode = "observe" }: SegmentSpec, approved: Raw, { raw }: KubeObject) {
  if (fallback === undefined) return {};
  const written = rawAt(rawAt(raw, "status"), "fallback");
  const [since, at] = [written["since"], approved["at"]].map((time) =>
    typeof time === "string" ? Date.parse(time) : Number.NaN,
  );
  const holds = written["mode"] === "observe" && since !== undefined && at !== undefined && since >= at;
  const why = textAt(written, "why") ?? "";
  return holds
    ? { fallsBack: true as const, mode: "observe" as const, fallback: { from: mode, since, why } }
    : { fallsBack: true as const };
}

/** What a segment is without being told, and what a classification makes of it. */
const PLAIN = { rules: { isolation: "shared", policyApproval: "none" }, leafMaxTtlSeconds: undefined } as const;
const CLASSIFIED = {
  rules: { isolation: "strict", policyApproval: "required" },
  leafMaxTtlSeconds: CLASSIFIED_LEAF_SECONDS,
} as const;

/** Reads a WorkloadRole. */
export function readRole(object: KubeObject): Result<Role> {
  const read = readInForce(WORKLOAD_ROLE, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const match = spec.match;
  const senseless = senselessRequirement(match.podLabels);
  if (senseless !== undefined)
    return refuseAt(object, [...specPath, "match", "podLabels", "matchExpressions", senseless], SENSELESS);
  const labels = checkRoleLabels(spec.labels ?? {}, object, [...specPath, "labels"]);
  if (!labels.ok) return labels;
  const ttl = secondsAt(spec.identity?.maxTTL, object, [...specPath, "identity", "maxTTL"]);
  if (!ttl.ok) return ttl;
  return ok({
    ...definition,
    segment: spec.segment,
    match: matchOf(match),
    labels: labels.value,
    permits: spec.permits ?? [],
    ...identityOf(spec.identity ?? {}),
    ...defined({ maxTtlSeconds: ttl.value }),
  });
}

type RoleSpec = Static<(typeof WORKLOAD_ROLE)["spec"]>;

const matchOf = ({ podLabels, namespaces, serviceAccounts, kinds, createdBy }: RoleSpec["match"]): Role["match"] => ({
  kinds: WORKLOAD_KINDS,
  createdBy: [],
  labels: selectorOf(podLabels),
  ...defined({ namespaces, serviceAccounts, kinds, createdBy }),
});

const identityOf = ({ delivery, keyType, dnsNames, subject, federatesWith }: NonNullable<RoleSpec["identity"]>) => ({
  delivery: delivery ?? ("none" as const),
  dnsNames: dnsNames ?? [],
  federatesWith: federatesWith ?? [],
  ...(subject === "account" ? { subject } : {}),
  ...defined({ keyType }),
});

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

function checkRoleLabels(labels: Readonly<Record<string, string>>, object: KubeObject, path: FieldPath) {
  for (const [key, value] of Object.entries(labels))
    if (!LABEL_NAME.test(key) || (value !== "" && !LABEL_NAME.test(value)))
      return refuseAt(object, [...path, key], {
        code: "FIELD_INVALID",
        message: `"${key}: ${value}" cannot be stamped as role.signet.dev/${key}.`,
        mend: "Key and value must be at most 63 letters, digits, dashes, underscores and dots.",
      });
  return ok(labels);
}

/** Reads an ExternalWorkload. */
export function readExternalWorkload(object: KubeObject): Result<ExternalWorkload> {
  const read = readInForce(EXTERNAL_WORKLOAD, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const wrong = (spec.addresses ?? []).findIndex((address) => parseAddress(address) === undefined);
  if (wrong !== -1)
    return refuseAt(object, [...specPath, "addresses", wrong], {
      code: "FIELD_INVALID",
      message: `"${spec.addresses?.[wrong] ?? ""}" is not an IP address.`,
      mend: "Write an IPv4 or IPv6 address without a prefix.",
    });
  return ok({
    ...definition,
    namespace: namespaceOf(object),
    kind: spec.kind,
    serviceAccount: spec.serviceAccount,
    labels: textMapAt(rawAt(object.raw, "metadata"), "labels"),
    addresses: spec.addresses ?? [],
  });
}

/** Reads a Restriction. */
export function readRestriction(object: KubeObject): Result<Restriction> {
  const read = readInForce(RESTRICTION, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const named = Object.entries(spec.target);
  const first = named[0];
  if (named.length !== 1 || !first)
    return refuseAt(object, [...specPath, "target"], {
      code: "FIELD_CONFLICT",
      message: "A Restriction concerns exactly one target.",
      mend: "Name one of identity, serial, pod, virtualMachine, node, segment, role.",
    });
  const [by, value] = first;
  const target = (typeof value === "string" ? { by, name: value } : { by, ...value }) as RestrictionTarget;
  const ticket = spec.ticket === undefined ? {} : { ticket: spec.ticket };
  return ok({ ...definition, target, effect: spec.effect, reason: spec.reason, ...ticket });
}
