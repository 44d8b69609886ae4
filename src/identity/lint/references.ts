import type { Catalogue, Definitions } from "../../domain/catalogue.ts";
import { DEFAULT_TRUST_DOMAIN } from "../../domain/catalogue.ts";
import type { Definition } from "../../domain/definitions.ts";
import type { GrantedSentence, Peer } from "../../domain/sentences.ts";
import { type Finding, finding, type Weight } from "./finding.ts";

/** Names that something defines. */
type Known = Readonly<
  Record<"role" | "segment" | "environment" | "classification" | "trustDomain" | "domain", ReadonlySet<string>>
>;

/** A definition that names others. */
type Naming = {
  readonly kind: string;
  readonly definition: Pick<Definition, "name" | "source"> & { readonly namespace?: string };
};

/** What sentences, exceptions, roles and restrictions name, and nobody defines. */
export function lintReferences({ definitions }: Catalogue): readonly Finding[] {
  const known = knownNames(definitions);
  return [
    ...definitions.policies.flatMap((policy) => {
      const naming = { kind: "SegmentPolicy", definition: policy };
      return [
        ...unknownName(known, naming, "segment", policy.segment, "spec.segment"),
        ...policy.allow.flatMap((line) => unknownPeers(known, naming, line, line.path)),
      ];
    }),
    ...definitions.guardrails.flatMap((guardrail) =>
      [...guardrail.deny, ...guardrail.allow].flatMap((line) =>
        unknownPeers(known, { kind: "Guardrail", definition: guardrail }, line, line.path),
      ),
    ),
    ...definitions.exceptions.flatMap((exception) => {
      const naming = { kind: "SegmentException", definition: exception };
      return [
        ...unknownName(known, naming, "role", exception.role, "spec.workloads.role"),
        ...("sentence" in exception.permit
          ? unknownPeers(known, naming, exception.permit.sentence, "spec.permit.sentence")
          : []),
      ];
    }),
    ...definitions.restrictions.flatMap((restriction) => {
      const { target } = restriction;
      if (target.by !== "role" && target.by !== "segment") return [];
      const naming = { kind: "Restriction", definition: restriction };
      return unknownName(known, naming, target.by, target.name, `spec.target.${target.by}`);
    }),
    ...definitions.roles.flatMap((role) =>
      (role.federatesWith ?? []).flatMap((name, index) =>
        unknownName(
          known,
          { kind: "WorkloadRole", definition: role },
          "trustDomain",
          name,
          `spec.identity.federatesWith[${index}]`,
        ),
      ),
    ),
  ];
}

function knownNames(definitions: Definitions): Known {
  const foreign = definitions.foreignDomains ?? [];
  const present = (values: readonly (string | undefined)[]) => new Set(values.filter((value) => value !== undefined));
  return {
    role: new Set(definitions.roles.map(({ name }) => name)),
    segment: new Set(definitions.segments.map(({ name }) => name)),
    environment: present(definitions.segments.map(({ environment }) => environment)),
    classification: present(definitions.segments.map(({ classification }) => classification)),
    trustDomain: new Set(foreign.map(({ name }) => name)),
    domain: new Set([...foreign.map(({ domain }) => domain), definitions.trustDomain?.domain ?? DEFAULT_TRUST_DOMAIN]),
  };
}

const WORDS: Readonly<Record<keyof Known, readonly [what: string, weight: Weight, mend: string]>> = {
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

function unknownName(known: Known, naming: Naming, what: keyof Known, name: string, path: string): readonly Finding[] {
  if (known[what].has(name)) return [];
  const [words, weight, mend] = WORDS[what];
  const message = `There is no ${words} ${name}.`;
  return [finding(weight, "REFERENCE_DEAD", naming.kind, naming.definition, { path, message, mend })];
}

const unknownPeers = (
  known: Known,
  naming: Naming,
  { from, to }: GrantedSentence,
  path: string,
): readonly Finding[] => [
  ...unknownPeer(known, naming, from, `${path}.from`),
  ...unknownPeer(known, naming, to, `${path}.to`),
];

function unknownPeer(known: Known, naming: Naming, peer: Peer, path: string): readonly Finding[] {
  switch (peer.by) {
    case "role":
    case "segment":
    case "environment":
    case "classification":
      return unknownName(known, naming, peer.by, peer.name, `${path}.${peer.by}`);
    case "externalIdentity":
      return unknownName(known, naming, "domain", peer.spiffeId.split("/")[2] ?? "", `${path}.externalIdentity`);
    default:
      return [];
  }
}
