import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mutate, validate } from "../../src/admission/gate.ts";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import { readReview } from "../../src/wire/admission-review.ts";
import { joinItems, readSnapshotText, renderItems } from "../../src/wire/snapshot-text.ts";
import { readVerdictRecord, renderVerdictRecord } from "../../src/wire/verdict-record.ts";
import { catalogueOf, must, NOON, objectsOf } from "../fakes/judging.ts";
import { pod, review, SHOP, STAMP, stampedPod } from "../fakes/web.ts";

const requestOf = (over: object) => must(must(readReview(JSON.stringify(review({ ...over })))).request);
const SUMMARY = { allowed: true, decision: "admit", approval: "none", enrolled: false, codes: [] };

test("a verdict comes out the same when it is given again from what the ledger holds", () => {
  const text = joinItems([["shop.yaml", renderItems(objectsOf(SHOP))]]);
  const then = catalogueOf(SHOP);
  const later = makeCatalogue(must(readSnapshotText(text)), createHash("sha256").update(text).digest("hex"));
  const account = fc.constantFrom("cart", "job", "default", "nobody");
  const labels = fc.dictionary(
    fc.constantFrom("app", ...Object.keys(STAMP.labels)),
    fc.constantFrom("cart", "shop", "x"),
  );
  const annotations = fc.dictionary(
    fc.constantFrom("signet.dev/use-role", "signet.dev/exception", "signet.dev/stamp", "other"),
    fc.constantFrom("cart", "x", STAMP.annotations["signet.dev/stamp"]),
  );
  const made = fc.record({ account, labels, annotations, hostNetwork: fc.boolean() });
  const podOf = ({
    account,
    labels,
    annotations,
    hostNetwork,
  }: {
    account: string;
    labels: object;
    annotations: object;
    hostNetwork: boolean;
  }) => pod({ name: "p", labels, annotations }, { serviceAccountName: account, hostNetwork });
  fc.assert(
    fc.property(
      made,
      made,
      fc.constantFrom("CREATE", "UPDATE"),
      fc.constantFrom("shop", "free", "kube-system"),
      (now, before, operation, namespace) => {
        const request = requestOf({
          operation,
          namespace,
          object: podOf(now),
          oldObject: operation === "UPDATE" ? podOf(before) : null,
        });
        const body = renderVerdictRecord({
          webhook: "validate",
          catalogue: "",
          requireApproval: false,
          request,
          verdict: SUMMARY,
        });
        const again = must(readVerdictRecord(body)).request;
        for (const gate of [mutate, validate]) {
          const was = gate(then, request, { now: NOON });
          if (was.verdict) expect(told(gate(later, again, { now: NOON }))).toEqual(told(was));
        }
      },
    ),
    { numRuns: 300 },
  );
});

const told = ({ allowed, verdict }: ReturnType<typeof mutate>) => ({
  allowed,
  decision: verdict?.decision,
  problems: verdict?.problems,
  stamp: verdict?.stamp,
});

test("annotations that no verdict hangs on are not kept: they may hold whole manifests", () => {
  const last = {
    "kubectl.kubernetes.io/last-applied-configuration": '{"env":"s3cret"}',
    "signet.dev/use-role": "cart",
  };
  const request = requestOf({
    object: pod({ annotations: last }),
    operation: "UPDATE",
    oldObject: stampedPod({ annotations: last }),
  });
  const body = renderVerdictRecord({
    webhook: "mutate",
    catalogue: "c",
    requireApproval: true,
    request,
    verdict: SUMMARY,
  });
  expect(body).not.toContain("s3cret");
  expect(must(readVerdictRecord(body)).request.workload?.annotations).toEqual({ "signet.dev/use-role": "cart" });
});

test("what is no verdict is refused with a code", () => {
  for (const text of ["", "[]", "{}", '{"request":{},"verdict":{}}'])
    expect(readVerdictRecord(text)).toMatchObject({ ok: false, problems: [{ code: "LEDGER_BROKEN" }] });
});
