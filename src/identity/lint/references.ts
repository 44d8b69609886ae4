import type { Catalogue, Definitions } from "../../domain/catalogue.ts";
import { DEFAULT_TRUST_DOMAIN } from "../../domain/catalogue.ts";
import type { Exception, Restriction, Role } from "../../domain/definitions.ts";
import type { GrantedSentence, Guardrail, Peer, SegmentPolicy } from "../../domain/sentences.ts";
import { type Defined, type Finding, finding, type Weight } from "./finding.ts";

/** Names that something defines. */
type Known = Readonly<Record<Named, ReadonlySet<string>>> & { readonly own: string };
type Named = "role" | "segment" | "environment" | "classification" | "trustDomain" | "domain";

/** What sentences, exceptions, roles and restrictions name, and nobody defines. */
export function lintReferences({ definitions }: Catalogue): readonly Finding[] {
  const known = knownNames(definitions);
  return [
    ...definitions.policies.flatMap((policy) => ofPolicy(known, policy)),
    ...definitions.guardrails.flatMap((guardrail) => ofGuardrail(known, guardrail)),
    ...definitions.exceptions.flatMap((exception) => ofException(known, exception)),
    ...definitions.restrictions.flatMap((restriction) => ofRestriction(known, restriction)),
    ...definitions.roles.flatMap((role) => ofRole(known, role)),
  ];
}

function ofPolicy(known: Known, policy: SegmentPolicy): readonly Finding[] {
  const from = { kind: "SegmentPolicy", definition: policy };
  return [
    ...unknownName(known, from, { what: "segment", name: policy.segment, path: "spec.segment" }),
    ...policy.allow.flatMap((line) => unknownPeers(known, from, line, line.path)),
  ];
}

const ofGuardrail = (known: Known, guardrail: Guardrail): readonly Finding[] =>
  [...guardrail.deny, ...guardrail.allow].flatMap((line) =>
    unknownPeers(known, { kind: "Guardrail", definition: guardrail }, line, line.path),
  );

function ofException(known: Known, exception: Exception): readonly Finding[] {
  const from = { kind: "SegmentException", definition: exception };
  const { permit } = exception;
  return [
    ...unknownName(known, from, { what: "role", name: exception.role, path: "spec.workloads.role" }),
    ...("sentence" in permit ? unknownPeers(known, from, permit.sentence, "spec.permit.sentence") : []),
  ];
}

function ofRestriction(known: Known, restriction: Restriction): readonly Finding[] {
  const { by, name } = restriction.target;
  if (by !== "role" && by !== "segment") return [];
  const from = { kind: "Restriction", definition: restriction };
  return unknownName(known, from, { what: by, name, path: `spec.target.${by}` });
}

const ofRole = (known: Known, role: Role): readonly Finding[] =>
  role.federatesWith.flatMap((name, index) =>
    unknownName(
      known,
      { kind: "WorkloadRole", definition: role },
      { what: "trustDomain", name, path: `spec.identity.federatesWith[${index}]` },
    ),
  );

function knownNames(definitions: Definitions): Known {
  const foreign = definitions.foreignDomains ?? [];
  const present = (values: readonly (string | undefined)[]) => new Set(values.filter((value) => value !== undefined));
  return {
    role: new Set(definitions.roles.map(({ name }) => name)),
    segment: new Set(definitions.segments.map(({ name }) => name)),
    environment: present(definitions.segments.map(({ environment }) => environment)),
    classification: present(definitions.segments.map(({ classification }) => classification)),
    trustDomain: new Set(foreign.map(({ name }) => name)),
    domain: new Set(foreign.map(({ domain }) => domain)),
    own: definitions.trustDomain?.domain ?? DEFAULT_TRUST_DOMAIN,
  };
}

const WORDS: Readonly<Record<Named, readonly [what: string, weight: Weight, mend: string]>> = {
  role: ["role", "error", "Correct the name, or write the WorkloadRole."],
  segment: ["segment", "error", "Correct the name, or write the Segment."],
  environment: ["segment of environment", "warning", "Correct the name, or give a Segment this environment."],
  classification: ["segment of classification", "warning", "Correct the name, or give a Segment this classification."],
  trustDomain: ["federated TrustDomain", "error", "Correct the name, or write the TrustDomain."],
  domain: [
    "TrustDomain with the domain",
    "error",
    "Write a TrustDomain for it, so that its identities can be verified.",
  ],
};

/** One name that is used, and where. */
type Use = { readonly what: Named; readonly name: string; readonly path: string };

function unknownName(known: Known, from: Defined, { what, name, path }: Use): readonly Finding[] {
  if (what === "domain" && name === known.own) return ownIdentity(from, path);
  if (known[what].has(name)) return [];
  const [words, weight, mend] = WORDS[what];
  return [finding(weight, "REFERENCE_DEAD", from, { path, message: `There is no ${words} ${name}.`, mend })];
}

const ownIdentity = (from: Defined, path: string): readonly Finding[] => [
  finding("error", "IDENTITY_OWN", from, {
    path,
    message: "An identity of our own trust domain is named as one of another.",
    mend: "Name the role that holds it.",
  }),
];

const unknownPeers = (known: Known, from: Defined, ends: GrantedSentence, path: string): readonly Finding[] =>
  [useOf(ends.from, `${path}.from`), useOf(ends.to, `${path}.to`)].flatMap((use) =>
    use === undefined ? [] : unknownName(known, from, use),
  );

/** What a peer names that has to be defined; undefined where it names something outside. */
function useOf(peer: Peer, path: string): Use | undefined {
  if (peer.by === "externalIdentity")
    return { what: "domain", name: peer.spiffeId.split("/")[2] ?? "", path: `${path}.externalIdentity` };
  return isNamedBySegments(peer) ? { what: peer.by, name: peer.name, path: `${path}.${peer.by}` } : undefined;
}

type BySegments = Extract<Peer, { readonly by: "role" | "segment" | "environment" | "classification" }>;

const isNamedBySegments = (peer: Peer): peer is BySegments =>
  ["role", "segment", "environment", "classification"].includes(peer.by);
