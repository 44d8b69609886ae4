import { KINDS } from "../kinds.ts";
import { GROUP } from "../kinds/kind.ts";
import { FOLLOW, type Permission } from "./permissions.ts";

const kinds = KINDS.map(({ plural }) => plural);
const namespacedKinds = KINDS.filter(({ scope }) => scope === "Namespaced").map(({ plural }) => plural);
const statuses = kinds.map((plural) => `${plural}/status`);

/** A ClusterRole for people; `aggregateTo` are built-in roles that get it too. */
export type PeopleRole = {
  readonly name: string;
  readonly about: string;
  readonly aggregateTo: readonly ("view" | "edit" | "admin")[];
  readonly permissions: readonly Omit<Permission, "where">[];
};

const WRITE = ["create", "delete", "patch", "update"] as const;
const reading = { group: GROUP, resources: kinds, verbs: ["get", ...FOLLOW], why: "sees all definitions" };

/** Roles that an administrator binds to people; nobody is bound by the manifests. */
export const PEOPLE_ROLES: readonly PeopleRole[] = [
  {
    name: "signet-viewer",
    about: "Reads all of Signet's kinds.",
    aggregateTo: ["view"],
    permissions: [reading],
  },
  {
    name: "signet-team-editor",
    about: "Writes the kinds that live in a namespace: sentences, requests for exceptions, external workloads.",
    aggregateTo: ["edit", "admin"],
    permissions: [
      { ...reading, resources: namespacedKinds },
      { group: GROUP, resources: namespacedKinds, verbs: WRITE, why: "writes what a team owns" },
    ],
  },
  {
    name: "signet-editor",
    about: "Writes all of Signet's kinds; approves none of them.",
    aggregateTo: [],
    permissions: [reading, { group: GROUP, resources: kinds, verbs: WRITE, why: "writes definitions" }],
  },
  {
    name: "signet-approver",
    about: "Approves what others wrote, and enrols namespaces.",
    aggregateTo: [],
    permissions: [
      reading,
      { group: GROUP, resources: kinds, verbs: ["approve"], why: "approves a generation" },
      {
        group: GROUP,
        resources: statuses,
        verbs: ["get", "patch", "update"],
        why: "an approval is an entry in status",
      },
      {
        group: GROUP,
        resources: ["namespaces", "segments"],
        verbs: ["enrol"],
        why: "grants a segment to a namespace, or enrols one without",
      },
    ],
  },
];
