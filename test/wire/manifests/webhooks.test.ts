import { expect, test } from "vitest";
import { EXEMPT_NAMESPACES } from "../../../src/domain/exempt-namespaces.ts";
import type { Manifest } from "../../../src/wire/manifests/manifest.ts";
import type { WebhookRule } from "../../../src/wire/manifests/webhook-rules.ts";
import { exemptingPatches, virtControllerPatch } from "../../../src/wire/manifests/webhooks.ts";
import { workloadKinds } from "../../../src/wire/workloads/shapes.ts";
import { objectsIn } from "./manifests.ts";

type Entry = {
  readonly name: string;
  readonly failurePolicy: string;
  readonly timeoutSeconds: number;
  readonly sideEffects: string;
  readonly clientConfig: Readonly<Record<string, unknown>>;
  readonly namespaceSelector: {
    readonly matchExpressions: readonly { readonly key: string; readonly values?: readonly string[] }[];
  };
  /** Absent: the entry is asked about nothing. */
  readonly rules?: readonly WebhookRule[];
  readonly objectSelector?: object;
  /** Absent: there is none. */
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
};

const entriesOf = (configuration: Manifest | undefined): readonly Entry[] =>
  (configuration?.["webhooks"] ?? []) as readonly Entry[];
const [mutating, validating] = objectsIn("base/webhooks");
const allEntries = [...entriesOf(mutating), ...entriesOf(validating)];
const isSelfTest = ({ name }: Entry): boolean => name.endsWith("self-test.signet.dev");
const entries = allEntries.filter((entry) => !isSelfTest(entry));

test("each configuration ends with an entry about nothing but Signet's dry runs in its own namespace", () => {
  expect([entriesOf(mutating), entriesOf(validating)].map((each) => each.at(-1))).toEqual(
    allEntries.filter(isSelfTest),
  );
  for (const { namespaceSelector, matchConditions, rules, failurePolicy } of allEntries.filter(isSelfTest)) {
    expect(failurePolicy).toBe("Fail");
    expect(namespaceSelector.matchExpressions).toEqual([
      { key: "kubernetes.io/metadata.name", operator: "In", values: ["signet-system"] },
    ]);
    expect(matchConditions?.map(({ expression }) => expression)).toEqual([
      "request.name == 'signet-self-test' && request.?dryRun.orValue(false)",
    ]);
    expect(rules?.map(({ resources }) => resources)).toEqual([["configmaps"]]);
  }
});

test("what fails closed is about enrolled namespaces, or about objects that carry a key which only Signet writes", () => {
  const closed = entries.filter(({ failurePolicy }) => failurePolicy === "Fail");
  expect(closed.map(({ name }) => name)).toEqual([
    "pods.enrolled.signet.dev",
    "pods.unstamped.enrolled.signet.dev",
    "pods.changed.enrolled.signet.dev",
    "machines.enrolled.signet.dev",
    "templates.enrolled.signet.dev",
    "stamped.signet.dev",
  ]);
  const enrolled = { key: "signet.dev/enrol", operator: "In", values: ["true"] };
  const held = closed.filter(
    ({ namespaceSelector, matchConditions = [] }) =>
      namespaceSelector.matchExpressions.some((each) => JSON.stringify(each) === JSON.stringify(enrolled)) ||
      matchConditions.some(({ name }) => name === "carries-reserved-key"),
  );
  expect(held).toEqual(closed);
});

test("every entry exempts the cluster's own namespaces by name, first of all", () => {
  for (const { name, namespaceSelector } of entries)
    expect(namespaceSelector.matchExpressions[0], name).toEqual({
      key: "kubernetes.io/metadata.name",
      operator: "NotIn",
      values: [...EXEMPT_NAMESPACES],
    });
});

test("entries have no side effects, short timeouts, few conditions, and names of their own", () => {
  expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
  for (const { name, sideEffects, timeoutSeconds, failurePolicy, matchConditions = [] } of entries) {
    expect({ sideEffects, timeoutSeconds }, name).toEqual({
      sideEffects: "None",
      timeoutSeconds: failurePolicy === "Fail" ? 3 : 2,
    });
    expect(matchConditions.length, name).toBeLessThanOrEqual(64);
    expect(new Set(matchConditions.map((condition) => condition.name)).size, name).toBe(matchConditions.length);
  }
});

test("a Pod that is created in an enrolled namespace meets one of two entries, by whether it has a role's name", () => {
  const [stamped, unstamped] = ["Exists", "DoesNotExist"].map((operator) => ({
    matchExpressions: [{ key: "signet.dev/role", operator }],
  }));
  const selecting = entries.flatMap(({ name, objectSelector }) => (objectSelector ? [{ name, objectSelector }] : []));
  expect(selecting).toEqual([
    { name: "pods.enrolled.signet.dev", objectSelector: stamped },
    { name: "pods.unstamped.enrolled.signet.dev", objectSelector: unstamped },
  ]);
});

test("whoever has been stamped in an enrolled namespace is judged without a condition", () => {
  const free = entries.filter(({ matchConditions }) => matchConditions === undefined).map(({ name }) => name);
  expect(free).toEqual(["pods.enrolled.signet.dev"]);
});

test("every kind that Signet reads as a workload is judged where it is enrolled", () => {
  const sent = entriesOf(validating)
    .filter(({ name, failurePolicy }) => name.includes(".enrolled.") && failurePolicy === "Fail")
    .flatMap(({ rules }) => rules ?? [])
    .filter(({ operations }) => operations.includes("CREATE"))
    .flatMap(({ apiGroups, resources }) => resources.map((resource) => `${apiGroups.join()}/${resource}`));
  const kinds = workloadKinds().map((kind) => `${kind.toLowerCase()}s`);
  expect(kinds.filter((kind) => !sent.includes(kind))).toEqual([]);
});

test("caBundle is left to Signet, and the overlay by URL differs in nothing but the way to call", () => {
  const byUrl = objectsIn("overlays/by-url");
  const called = (each: Manifest) => ({
    ...each,
    webhooks: entriesOf(each).map((entry) => ({ ...entry, clientConfig: "somehow" })),
  });
  expect(byUrl.map(called)).toEqual([mutating, validating].flatMap((each) => (each ? [called(each)] : [])));
  expect(new Set(byUrl.flatMap(entriesOf).map(({ clientConfig }) => JSON.stringify(clientConfig)))).toEqual(
    new Set(['{"url":"https://127.0.0.1:8443/mutate"}', '{"url":"https://127.0.0.1:8443/validate"}']),
  );
  expect(new Set(entries.map(({ clientConfig }) => Object.keys(clientConfig).join()))).toEqual(new Set(["service"]));
});

test("who launches machines is asked about where a component names somebody, and nobody else's entry is idle", () => {
  expect(entries.filter(({ rules }) => rules === undefined).map(({ name }) => name)).toEqual(["launchers.signet.dev"]);
});

test("a component's patches hit what they mean, in every entry", () => {
  const [first = [], second = []] = exemptingPatches("db");
  expect([first.length, second.length]).toEqual([entriesOf(mutating).length - 1, entriesOf(validating).length - 1]);
  for (const { path } of [...first, ...second])
    expect(path).toMatch(/^\/webhooks\/\d+\/namespaceSelector\/matchExpressions\/0\/values\/-$/);
  const positions = entriesOf(validating).flatMap(({ rules, matchConditions }, entry) => [
    ...(rules === undefined ? [`/webhooks/${entry}/rules`] : []),
    ...(matchConditions === undefined ? [`/webhooks/${entry}/matchConditions`] : []),
    ...(matchConditions ?? []).flatMap(({ expression }, at) =>
      expression.includes("username in []") ? [`/webhooks/${entry}/matchConditions/${at}`] : [],
    ),
  ]);
  expect(virtControllerPatch(["a"]).map(({ path }) => path)).toEqual(positions);
});
