import { type Catalogue, DEFAULT_TRUST_DOMAIN } from "../domain/catalogue.ts";
import { exceptionState } from "../domain/exception-state.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { lintAccounts } from "./lint/accounts.ts";
import { lintDead } from "./lint/dead.ts";
import { type Finding, finding } from "./lint/finding.ts";
import { lintNamespaces } from "./lint/namespaces.ts";
import { lintReferences } from "./lint/references.ts";

/** Everything in a catalogue's definitions that is dead, ambiguous or refused already, whatever happens to run. */
export const lintDefinitions = (catalogue: Catalogue, now: Instant): readonly Finding[] =>
  [
    ...lintTrustDomain(catalogue),
    ...lintForeignDomains(catalogue),
    ...lintDead(catalogue),
    ...lintNamespaces(catalogue),
    ...lintAccounts(catalogue),
    ...lintReferences(catalogue),
    ...lintEnded(catalogue, now),
  ].sort(byPlace);

function byPlace({ problem: a }: Finding, { problem: b }: Finding): number {
  const [x, y] = [a.source, b.source];
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined);
  return x.file === y.file ? x.line - y.line : x.file < y.file ? -1 : 1;
}

const lintTrustDomain = ({ definitions }: Catalogue): readonly Finding[] =>
  definitions.trustDomain
    ? []
    : [
        finding(
          "warning",
          "TRUST_DOMAIN_DEFAULT",
          { kind: "TrustDomain", definition: { name: "local" } },
          {
            path: "",
            message: `No TrustDomain named local is defined, so that identities are of ${DEFAULT_TRUST_DOMAIN}.`,
            mend: "Write a TrustDomain named local with a domain of your own; every identity contains it.",
          },
        ),
      ];

/** A domain has one bundle: two TrustDomains of one domain, or of ours, would publish it under two names. */
const lintForeignDomains = ({ definitions, trustDomain }: Catalogue): readonly Finding[] => {
  const names = new Map([[trustDomain, "local"]]);
  return (definitions.foreignDomains ?? []).flatMap((definition) => {
    const first = names.get(definition.domain);
    if (first === undefined) names.set(definition.domain, definition.name);
    return first === undefined
      ? []
      : [
          finding(
            "error",
            "TRUST_DOMAIN_TWICE",
            { kind: "TrustDomain", definition },
            {
              path: "spec.domain",
              message: `The domain ${definition.domain} is that of TrustDomain ${first} too.`,
              mend: "Keep one of the two.",
            },
          ),
        ];
  });
};

const lintEnded = (catalogue: Catalogue, now: Instant): readonly Finding[] =>
  catalogue.definitions.exceptions
    .filter((exception) => exceptionState(catalogue, exception, now) === "expired")
    .map((exception) =>
      finding(
        "warning",
        "EXCEPTION_EXPIRED",
        { kind: "SegmentException", definition: exception },
        {
          path: "spec.expires",
          message: `Exception ${exception.namespace}/${exception.name} ended at ${formatInstant(exception.expires)}.`,
          mend: "Delete it, or have a new one approved.",
        },
      ),
    );
