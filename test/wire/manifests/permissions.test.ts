import { PEOPLE_ROLES } from "../../../src/wire/manifests/people-roles.ts";
import { expect, test } from "vitest";
import { SIGNET_ACCOUNT } from "../../../src/domain/exempt-namespaces.ts";
import { FEDERATION_PERMISSIONS } from "../../../src/wire/manifests/federation-permissions.ts";
import type { Manifest } from "../../../src/wire/manifests/manifest.ts";
import { ACCOUNT_USER } from "../../../src/wire/manifests/names.ts";
import { type Permission, SIGNER_PERMISSIONS, SIGNET_PERMISSIONS } from "../../../src/wire/manifests/permissions.ts";
import { PUBLISHING_PERMISSIONS } from "../../../src/wire/manifests/publishing-permissions.ts";
import { ruleOf } from "../../../src/wire/manifests/rbac.ts";
import { objectsIn } from "./manifests.ts";

const PUBLISHING = Object.keys(PUBLISHING_PERMISSIONS).map((name) => `signet-${name}`);

const everything = [...objectsIn("base"), ...objectsIn("components"), ...objectsIn("overlays")];
const roles = everything.filter(({ kind }) => kind === "Role" || kind === "ClusterRole");
const bindings = everything.filter(({ kind }) => kind.endsWith("RoleBinding"));

const rulesOf = (name: string, kind: string): unknown =>
  roles.find((role) => role.metadata.name === name && role.kind === kind)?.["rules"];
const expected = (rows: readonly Permission[], where: Permission["where"]) =>
  rows.filter((row) => row.where === where).map(ruleOf);

test("the gate and the manifests mean the same account", () => {
  expect(ACCOUNT_USER).toBe(SIGNET_ACCOUNT);
});

test("the roles of Signet's account hold the table and nothing else", () => {
  expect(rulesOf("signet", "ClusterRole")).toEqual(expected(SIGNET_PERMISSIONS, "cluster"));
  expect(rulesOf("signet", "Role")).toEqual(expected(SIGNET_PERMISSIONS, "own"));
  expect(rulesOf("signet-signer", "ClusterRole")).toEqual(expected(SIGNER_PERMISSIONS, "cluster"));
  expect(rulesOf("signet-federation", "ClusterRole")).toEqual(expected(FEDERATION_PERMISSIONS, "cluster"));
  for (const [name, { permissions }] of Object.entries(PUBLISHING_PERMISSIONS))
    expect(rulesOf(`signet-${name}`, "ClusterRole")).toEqual(expected(permissions, "cluster"));
});

test("the roles for people hold their table, and there is no other role", () => {
  for (const { name, permissions } of PEOPLE_ROLES)
    expect(rulesOf(name, "ClusterRole")).toEqual(permissions.map(ruleOf));
  const known = [
    ...PEOPLE_ROLES.map(({ name }) => name),
    "signet",
    "signet",
    "signet-federation",
    "signet-signer",
    ...PUBLISHING,
  ];
  expect(roles.map(({ metadata }) => metadata.name).sort()).toEqual(known.sort());
});

test("what is only followed is not read one by one, and a status is written in one way", () => {
  const rows = [
    ...SIGNET_PERMISSIONS,
    ...SIGNER_PERMISSIONS,
    ...FEDERATION_PERMISSIONS,
    ...Object.values(PUBLISHING_PERMISSIONS).flatMap(({ permissions }) => permissions),
  ];
  const having = (verb: string) =>
    rows.filter(({ verbs }) => verbs.includes(verb)).flatMap(({ resources }) => resources);
  expect(having("get").join(" ")).toBe(
    "segments workloadroles namespaces pods virtualmachineinstances replicasets jobs mutatingwebhookconfigurations " +
      "validatingwebhookconfigurations leases secrets configmaps clustertrustbundles nodes serviceaccounts tiers",
  );
  expect(having("update")).toEqual(["leases", "secrets", "podcertificaterequests/status"]);
});

test("who sees Calico's policies may see their tiers, which its API server asks for", () => {
  const { permissions = [] } = PUBLISHING_PERMISSIONS["publishing"] ?? {};
  const may = permissions
    .filter(({ group }) => group === "projectcalico.org")
    .flatMap(({ resources, verbs }) => resources.map((resource) => `${resource}: ${verbs.join(" ")}`));
  expect(may.sort()).toEqual([
    "globalnetworkpolicies: list watch",
    "networkpolicies: list watch",
    "tier.globalnetworkpolicies: list watch",
    "tier.networkpolicies: list watch",
    "tiers: get list watch",
  ]);
});

test("no role has a wildcard in it, but the one for signer names under our own", () => {
  const starred = roles.filter((role) => JSON.stringify(role).includes("*"));
  expect(starred.map(({ metadata }) => metadata.name)).toEqual(["signet-federation"]);
  expect(JSON.stringify(starred).match(/"[^"]*\*[^"]*"/g)).toEqual(['"signet.dev/*"']);
});

test("nobody is bound but Signet's account, to its own roles", () => {
  const account = [{ kind: "ServiceAccount", name: "signet", namespace: "signet-system" }];
  const bound = bindings.map((binding: Manifest) => [binding.kind, binding["roleRef"], binding["subjects"]]);
  const ref = (kind: string, name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
  const byName = bound.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  expect(byName).toEqual([
    ["ClusterRoleBinding", ref("ClusterRole", "signet"), account],
    ["ClusterRoleBinding", ref("ClusterRole", "signet-federation"), account],
    ...PUBLISHING.toSorted().map((name) => ["ClusterRoleBinding", ref("ClusterRole", name), account]),
    ["ClusterRoleBinding", ref("ClusterRole", "signet-signer"), account],
    ["RoleBinding", ref("Role", "signet"), account],
  ]);
});

test("publishing writes policies of data planes and reads what they hang on, and nothing else", () => {
  const rows = Object.values(PUBLISHING_PERMISSIONS).flatMap(({ permissions }) => permissions);
  const written = rows.filter(({ verbs }) => verbs.includes("patch")).flatMap(({ resources }) => resources);
  expect(written.filter((resource) => !resource.endsWith("policies"))).toEqual([]);
  const [tiers = [], others = []] = [true, false].map((isTiers) =>
    rows.filter(({ resources }) => (resources.join() === "tiers") === isTiers).flatMap((row) => row.verbs),
  );
  expect([...new Set(others)].sort()).toEqual(["create", "delete", "list", "patch", "watch"]);
  expect(tiers).toEqual(["get", "list", "watch"]);
});

test("secrets, leases and webhook configurations are held to names, and no row allows what grants more rights", () => {
  const rows = [...SIGNET_PERMISSIONS, ...SIGNER_PERMISSIONS];
  const guarded = ["secrets", "leases", "signers", "clustertrustbundles", "validatingwebhookconfigurations"];
  const loose = rows.filter(({ resources, names }) => guarded.some((each) => resources.includes(each)) && !names);
  expect(loose).toEqual([]);
  const verbs = new Set(rows.flatMap((row) => row.verbs));
  expect(["bind", "deletecollection", "escalate", "impersonate"].filter((verb) => verbs.has(verb))).toEqual([]);
  const deleting = rows.filter((row) => row.verbs.includes("delete"));
  expect(deleting.map(({ resources, names }) => [resources, names])).toEqual([[["reports"], ["signet"]]]);
});
