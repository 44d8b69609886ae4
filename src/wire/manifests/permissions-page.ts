import { PEOPLE_ROLES } from "./people-roles.ts";
import { FEDERATION_PERMISSIONS } from "./federation-permissions.ts";
import { type Permission, SIGNER_PERMISSIONS, SIGNET_PERMISSIONS } from "./permissions.ts";
import { PUBLISHING_PERMISSIONS } from "./publishing-permissions.ts";

/** docs/permissions.md, made of the tables. */
export const permissionsPage = (): string =>
  [
    "# Permissions",
    "",
    "Made by `npm run manifests` of the tables in `src/wire/manifests/permissions.ts`, and so are the roles in `manifests/`.",
    "There is no wildcard but one, in the signer names of the component `federation`, and nobody is bound to cluster-admin.",
    "",
    "## Signet's account",
    "",
    "`system:serviceaccount:signet-system:signet` may do this and nothing else. The verb `create` on a name holds for PUT and",
    "server-side apply, which carry the name in the path; POST stays forbidden.",
    "",
    ...table(SIGNET_PERMISSIONS),
    "",
    "## With the component `signer`",
    "",
    ...table(SIGNER_PERMISSIONS),
    "",
    "## With the component `federation`",
    "",
    ...table(FEDERATION_PERMISSIONS),
    "",
    ...publishingSections(),
    "## People",
    "",
    "Nobody is bound to these roles by the manifests. An approval needs the verb `approve`, and somebody who is not among the",
    "editors; no role of Kubernetes brings that verb but `cluster-admin`.",
    "",
    "| role | what it is for | also part of | may |",
    "|---|---|---|---|",
    ...PEOPLE_ROLES.map(
      ({ name, about, aggregateTo, permissions }) =>
        `| \`${name}\` | ${about} | ${aggregateTo.map(code).join(", ") || "–"} | ${permissions
          .map(({ verbs, resources, why }) => `${why}: ${verbs.join(", ")} on ${resources.join(", ")}`)
          .join("; ")} |`,
    ),
    "",
  ].join("\n");

const publishingSections = (): readonly string[] =>
  Object.entries(PUBLISHING_PERMISSIONS).flatMap(([name, { about, permissions }]) => [
    `## With the component \`${name}\``,
    "",
    about,
    "",
    ...table(permissions),
    "",
  ]);

const code = (word: string): string => `\`${word}\``;

const table = (rows: readonly Permission[]): readonly string[] => [
  "| group | resources | verbs | only | where | why |",
  "|---|---|---|---|---|---|",
  ...rows.map(
    ({ group, resources, verbs, names, where, why }) =>
      `| ${group === "" ? "core" : code(group)} | ${resources.join(", ")} | ${verbs.join(", ")} | ${(names ?? []).map(code).join(", ") || "–"} | ${where === "own" ? "`signet-system`" : "cluster"} | ${why} |`,
  ),
];
