import { expect, test } from "vitest";
import { HELPER_SEGMENT, helperRole, HELPERS } from "../../src/wire/manifests/helper-roles.ts";
import { HELPER_PODS, type HelperPod, helperPodBody } from "../fakes/helper-pods.ts";
import { catalogueOf, reviewOf } from "../fakes/judging.ts";

/** Folders that one cluster may take together. */
const PLATFORMS = [
  ["kubevirt", "openshift-builds", "cert-manager", "tekton"],
  ["openshift-virtualization", "openshift-builds", "cert-manager", "openshift-pipelines", "openshift-debug"],
] as const;

/** An enrolled namespace with a strict segment in force, and the shipped roles put into it. */
const catalogueWith = (folders: readonly string[]) =>
  catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: payments, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {classification: pci, namespaces: [payments], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: orders-db}, spec: {segment: payments, match: {serviceAccounts: [orders-db]}}}
---
${folders.flatMap((folder) => (HELPERS[folder]?.roles ?? []).map((role) => JSON.stringify(helperRole(role)).replace(`"${HELPER_SEGMENT}"`, '"payments"'))).join("\n---\n")}
`);

const seen = (folders: readonly string[], pod: HelperPod, creator: string) => {
  const body = { ...helperPodBody(pod), metadata: { ...helperPodBody(pod).metadata, namespace: "payments" } };
  const { verdict } = reviewOf(catalogueWith(folders), JSON.stringify(body), { creator });
  return [verdict.decision, verdict.identity?.role.name ?? null, ...verdict.problems.map(({ code }) => code)];
};

test("a role is shipped for each helper that is played, and none besides", () => {
  const shipped = Object.entries(HELPERS).flatMap(([folder, { roles }]) =>
    roles.map(({ name }) => `${folder}/${name}`),
  );
  expect(HELPER_PODS.map(({ folder, role }) => `${folder}/${role}`)).toEqual(shipped);
});

const PLAYED = PLATFORMS.flatMap((folders) =>
  HELPER_PODS.filter(({ folder }) => (folders as readonly string[]).includes(folder)).map(
    (pod) => [`${pod.role} beside ${folders[0]}`, folders, pod] as const,
  ),
);

test.each(PLAYED)("%s is admitted where its own controller creates it", (_what, folders, pod) => {
  expect(seen(folders, pod, pod.creator)).toEqual(["admit", pod.role]);
});

test.each(PLAYED)("%s is refused where somebody else creates it", (_what, folders, pod) => {
  expect(seen(folders, pod, "mallory")).toEqual(["deny", null, "ROLE_NONE"]);
});

test.each(PLAYED)("%s is refused where its role was taken out", (_what, folders, pod) => {
  expect(
    seen(
      folders.filter((folder) => folder !== pod.folder),
      pod,
      pod.creator,
    ),
  ).toEqual(["deny", null, "ROLE_NONE"]);
});

test("a helper's controller gets no other Pod of the account in", () => {
  const [pod] = HELPER_PODS;
  if (!pod) throw new Error("no helper");
  expect(seen(PLATFORMS[0], { ...pod, labels: { app: "web" } }, pod.creator)).toEqual(["deny", null, "ROLE_NONE"]);
});

test("what `oc debug` copies holds the role of the account that it copies, and needs no role of its own", () => {
  const debug = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "orders-db-debug-x7k2p",
      namespace: "payments",
      annotations: {
        "debug.openshift.io/source-container": "main",
        "debug.openshift.io/source-resource": "apps/v1, Resource=deployments/orders-db",
      },
    },
    spec: {
      serviceAccountName: "orders-db",
      containers: [{ name: "main", image: "i", command: ["/bin/sh"], tty: true }],
    },
  };
  const { verdict } = reviewOf(catalogueWith([]), JSON.stringify(debug), { creator: "ann" });
  expect([verdict.decision, verdict.identity?.role.name]).toEqual(["admit", "orders-db"]);
});
