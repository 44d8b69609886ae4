import { describe, expect, test } from "vitest";
import { signet } from "../fakes/io.ts";

/** A catalogue in which there is nothing to find. */
const CLEAN = `
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: prod.example.org}
---
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: partner}
spec: {domain: partner.example}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: payments}
spec: {environment: prod, classification: pci, isolation: shared, namespaces: [payments, vault]}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: shop}
spec: {environment: prod, namespaces: [shop]}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: orders-db}
spec:
  segment: payments
  match: {namespaces: [payments], serviceAccounts: [orders-db]}
  identity: {federatesWith: [partner]}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: checkout}
spec:
  segment: shop
  match: {serviceAccounts: [checkout]}
---
apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata: {name: orders-db, namespace: payments}
spec:
  segment: payments
  allow:
  - from: {role: checkout}
    to: {role: orders-db}
    on: [tcp/5432]
  - from: {segment: shop}
    to: {externalIdentity: "spiffe://partner.example/ns/a/sa/b"}
    on: [tcp/443]
---
apiVersion: signet.dev/v1alpha1
kind: Guardrail
metadata: {name: base}
spec:
  deny:
  - from: {environment: prod}
    to: {classification: pci}
---
apiVersion: signet.dev/v1alpha1
kind: SegmentException
metadata: {name: import, namespace: payments}
spec:
  permit: {check: hostNetwork}
  workloads: {role: orders-db}
  reason: migration
  expires: 2026-12-24T00:00:00Z
---
apiVersion: signet.dev/v1alpha1
kind: Restriction
metadata: {name: q1}
spec: {target: {role: orders-db}, effect: quarantine, reason: it scans}
`;

const role = (name: string, spec: string): string => `---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: ${name}}
spec: ${spec}
`;

type Row = { code: string; weight: string; line: number | null; path: string; message: string };

/** What lint finds in the one file, and its exit code. */
async function lint(text: string): Promise<{ readonly code: number; readonly found: readonly Row[] }> {
  const { code, out, err } = await signet("lint p.yaml --output json", { "p.yaml": text.trimStart() });
  expect(err).toBe("");
  const rows = JSON.parse(out) as readonly Row[];
  return {
    code,
    found: rows.map(({ code: id, weight, line, path, message }) => ({ code: id, weight, line, path, message })),
  };
}

const error = (code: string, line: number | null, path: string, message: string): Row => ({
  code,
  weight: "error",
  line,
  path,
  message,
});
const warning = (code: string, line: number | null, path: string, message: string): Row => ({
  code,
  weight: "warning",
  line,
  path,
  message,
});

test("in clean definitions nothing is found", async () => {
  expect(await lint(CLEAN)).toEqual({ code: 0, found: [] });
});

type Mutation = readonly [what: string, before: string, after: string, found: readonly Row[]];

const replaced: readonly Mutation[] = [
  [
    "no trust domain of our own",
    "{name: local}",
    "{name: other}",
    [
      warning(
        "TRUST_DOMAIN_DEFAULT",
        null,
        "",
        "No TrustDomain named local is defined, so that identities are of cluster.local.",
      ),
    ],
  ],
  [
    "a role of a segment that there is not",
    "segment: shop\n  match",
    "segment: shops\n  match",
    [
      warning("SEGMENT_UNUSED", 16, "", "Segment shop has no roles."),
      error("ROLE_DEAD", 33, "spec.segment", "There is no segment shops."),
    ],
  ],
  [
    "a segment that owns no namespace",
    "{environment: prod, namespaces: [shop]}",
    "{environment: prod}",
    [
      error(
        "ROLE_DEAD",
        33,
        "spec.segment",
        "Segment shop owns no namespace, so that role checkout can be held nowhere.",
      ),
    ],
  ],
  [
    "a role in namespaces of others only",
    "namespaces: [payments], serviceAccounts",
    "namespaces: [shop], serviceAccounts",
    [
      error(
        "ROLE_DEAD",
        26,
        "spec.match.namespaces",
        "None of the namespaces of role orders-db belongs to segment payments: shop.",
      ),
    ],
  ],
  [
    "a role in one namespace of others",
    "namespaces: [payments], serviceAccounts",
    "namespaces: [payments, shop], serviceAccounts",
    [error("REFERENCE_DEAD", 26, "spec.match.namespaces[1]", "Namespace shop does not belong to segment payments.")],
  ],
  [
    "labels that no Pod can have",
    "serviceAccounts: [checkout]",
    "serviceAccounts: [checkout], podLabels: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: DoesNotExist}]}",
    [error("ROLE_DEAD", 34, "spec.match.podLabels", "No labels can meet this selector.")],
  ],
  [
    "a policy of a segment that there is not",
    "segment: payments\n  allow",
    "segment: payment\n  allow",
    [error("REFERENCE_DEAD", 40, "spec.segment", "There is no segment payment.")],
  ],
  [
    "a sentence from a role that there is not",
    "from: {role: checkout}",
    "from: {role: chekout}",
    [error("REFERENCE_DEAD", 42, "spec.allow[0].from.role", "There is no role chekout.")],
  ],
  [
    "a sentence from a segment that there is not",
    "from: {segment: shop}",
    "from: {segment: web}",
    [error("REFERENCE_DEAD", 45, "spec.allow[1].from.segment", "There is no segment web.")],
  ],
  [
    "a sentence to an identity of nobody we know",
    "spiffe://partner.example/",
    "spiffe://partner.example.org/",
    [
      error(
        "REFERENCE_DEAD",
        46,
        "spec.allow[1].to.externalIdentity",
        "There is no TrustDomain with the domain partner.example.org.",
      ),
    ],
  ],
  [
    "a sentence to an identity of our own, as if it were another's",
    "spiffe://partner.example/",
    "spiffe://prod.example.org/",
    [
      error(
        "IDENTITY_OWN",
        46,
        "spec.allow[1].to.externalIdentity",
        "An identity of our own trust domain is named as one of another.",
      ),
    ],
  ],
  [
    "a TrustDomain of a domain that is ours already",
    "spec: {domain: partner.example}",
    "spec: {domain: prod.example.org}",
    [
      error("TRUST_DOMAIN_TWICE", 9, "spec.domain", "The domain prod.example.org is that of TrustDomain local too."),
      error(
        "REFERENCE_DEAD",
        46,
        "spec.allow[1].to.externalIdentity",
        "There is no TrustDomain with the domain partner.example.",
      ),
    ],
  ],
  [
    "a denial from an environment that nobody has",
    "- from: {environment: prod}",
    "- from: {environment: test}",
    [warning("REFERENCE_DEAD", 54, "spec.deny[0].from.environment", "There is no segment of environment test.")],
  ],
  [
    "a denial to a classification that nobody has",
    "to: {classification: pci}",
    "to: {classification: health}",
    [warning("REFERENCE_DEAD", 55, "spec.deny[0].to.classification", "There is no segment of classification health.")],
  ],
  [
    "an exception for a role that there is not",
    "workloads: {role: orders-db}",
    "workloads: {role: orders}",
    [error("REFERENCE_DEAD", 62, "spec.workloads.role", "There is no role orders.")],
  ],
  [
    "an exception for a connection of nobody",
    "permit: {check: hostNetwork}",
    "permit: {sentence: {from: {role: nobody}, to: {role: orders-db}, on: [any]}}",
    [error("REFERENCE_DEAD", 61, "spec.permit.sentence.from.role", "There is no role nobody.")],
  ],
  [
    "an exception that has ended",
    "expires: 2026-12-24",
    "expires: 2026-11-22",
    [warning("EXCEPTION_EXPIRED", 64, "spec.expires", "Exception payments/import ended at 2026-11-22T00:00:00Z.")],
  ],
  [
    "a restriction of a role that there is not",
    "target: {role: orders-db}",
    "target: {role: orders}",
    [error("REFERENCE_DEAD", 69, "spec.target.role", "There is no role orders.")],
  ],
  [
    "a role that federates with nobody we know",
    "federatesWith: [partner]",
    "federatesWith: [partner, bank]",
    [error("REFERENCE_DEAD", 27, "spec.identity.federatesWith[1]", "There is no federated TrustDomain bank.")],
  ],
  [
    "a namespace of two segments",
    "namespaces: [shop]",
    "namespaces: [shop, payments]",
    [
      error(
        "NAMESPACE_SPANS_SEGMENTS",
        19,
        "spec.namespaces[1]",
        "Namespace payments holds roles of 2 segments: payments (p.yaml:11), shop (p.yaml:16).",
      ),
    ],
  ],
  [
    "a namespace that a strict segment shares",
    "isolation: shared, namespaces: [payments, vault]",
    "isolation: strict, namespaces: [payments, vault, shop]",
    [
      error(
        "SEGMENT_STRICT",
        14,
        "spec.namespaces[2]",
        "Strict segment payments shares namespace shop with role checkout of shop (p.yaml:29).",
      ),
    ],
  ],
];

describe("one mistake", () => {
  test.each(replaced)("%s is found where it stands", async (_, before, after, found) => {
    expect(CLEAN.split(before).length, before).toBe(2);
    const weight = found.some((each) => each.weight === "error") ? 3 : 0;
    expect(await lint(CLEAN.replace(before, after))).toEqual({ code: weight, found });
  });

  test.each<readonly [string, string, readonly Row[]]>([
    [
      "a second role that fits the same workloads",
      "{segment: shop, match: {serviceAccounts: [checkout], podLabels: {matchLabels: {app: a}}}}",
      [
        error(
          "ROLE_AMBIGUOUS",
          74,
          "spec.match",
          "Roles checkout (p.yaml:29) and other can both fit one workload of account shop/checkout.",
        ),
        warning(
          "ACCOUNT_SHARED",
          74,
          "spec.match.serviceAccounts",
          "Roles checkout (p.yaml:29) and other share account shop/checkout.",
        ),
      ],
    ],
    [
      "a second role that covers every account",
      "{segment: shop, match: {namespaces: [shop]}}",
      [
        error(
          "ROLE_AMBIGUOUS",
          74,
          "spec.match",
          "Roles checkout (p.yaml:29) and other can both fit one workload of account shop/checkout.",
        ),
        warning(
          "ACCOUNT_SHARED",
          74,
          "spec.match.serviceAccounts",
          "Roles checkout (p.yaml:29) and other share account shop/checkout.",
        ),
      ],
    ],
  ])("%s is found", async (_, spec, found) => {
    const { found: rows, code } = await lint(`${CLEAN}${role("other", spec)}`);
    expect(code).toBe(3);
    expect(rows).toEqual(found);
  });

  test.each([
    [
      "another kind",
      "{segment: shop, match: {serviceAccounts: [checkout], kinds: [VirtualMachine]}}",
      "kinds: [Pod], ",
    ],
    [
      "other labels",
      "{segment: shop, match: {serviceAccounts: [checkout], podLabels: {matchLabels: {app: b}}}}",
      "podLabels: {matchLabels: {app: a}}, ",
    ],
    [
      "another creator",
      "{segment: shop, match: {serviceAccounts: [checkout], createdBy: [ann]}}",
      "createdBy: [bob], ",
    ],
  ])("two roles of one account that differ by %s share it, and are not ambiguous", async (_, spec, first) => {
    const text = CLEAN.replace("serviceAccounts: [checkout]", `${first}serviceAccounts: [checkout]`);
    const { found, code } = await lint(`${text}${role("other", spec)}`);
    expect(found.map((row) => row.code)).toEqual(["ACCOUNT_SHARED"]);
    expect(code).toBe(0);
  });

  test("two roles of one account in two segments are found, and not called ambiguous", async () => {
    const text = CLEAN.replace("namespaces: [shop]", "namespaces: [shop, payments]");
    const { found } = await lint(
      `${text}${role("other", "{segment: shop, match: {namespaces: [payments], serviceAccounts: [orders-db]}}")}`,
    );
    expect(found.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "NAMESPACE_SPANS_SEGMENTS Namespace payments holds roles of 2 segments: payments (p.yaml:11), shop (p.yaml:16).",
      "IDENTITY_SPANS_SEGMENTS Roles orders-db of payments (p.yaml:21) and other of shop cover account payments/orders-db.",
    ]);
  });

  test("a pair of roles is named once, however many accounts they share", async () => {
    const wide = "{segment: payments, match: {serviceAccounts: [a, b]}}";
    const { found } = await lint(`${CLEAN}${role("one", wide)}${role("two", wide)}`);
    expect(found.map(({ message }) => message)).toEqual([
      "Roles one (p.yaml:71) and two can both fit one workload of account payments/a and 3 more.",
      "Roles one (p.yaml:71) and two share account payments/a and 3 more.",
    ]);
  });

  test("an ended exception is judged as of the moment that is asked for", async () => {
    const { out } = await signet("lint p.yaml --at 2027-01-01T00:00:00Z", { "p.yaml": CLEAN.trimStart() });
    expect(out).toContain(
      "warning EXCEPTION_EXPIRED p.yaml:64:3: spec.expires: Exception payments/import ended at 2026-12-24T00:00:00Z.",
    );
  });
});
