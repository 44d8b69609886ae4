/** What PostgreSQL grants on a table; a clause without operations means all of these. */
export const PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const;

/** One privilege of a database role on a table. */
export type TableGrant = {
  readonly role: string;
  readonly schema: string;
  readonly table: string;
  readonly privilege: string;
};

/** A caller's database role, of the name of its own, and the common names of the certificates that may log in as it. */
export type Caller = { readonly role: string; readonly certificates: readonly string[] };

/** Who may do what on one database server. */
export type DatabaseAccess = { readonly callers: readonly Caller[]; readonly grants: readonly TableGrant[] };

/** What a server holds of ours: the roles that we made, whether they may log in, and every grant that they have. */
export type StandingAccess = {
  readonly roles: readonly { readonly role: string; readonly login: boolean }[];
  readonly grants: readonly StandingGrant[];
};

/** A privilege that stands: on the whole table, or on some of its columns only. */
export type StandingGrant = TableGrant & { readonly whole: boolean };

/** The comment by which a database role is known as ours. */
export const OUR_ROLE = "Managed by Signet.";

const NOTHING: StandingAccess = { roles: [], grants: [] };

/**
 * The statements from what stands to what is wanted, none where it is the same: roles are made or woken, grants given and
 * taken, and roles that nobody wants lose everything and cannot log in; they are not dropped, since they may own objects.
 */
export function accessStatements(wanted: DatabaseAccess, standing: StandingAccess = NOTHING): readonly string[] {
  const { callers, grants } = wanted;
  const logins = new Map(standing.roles.map(({ role, login }) => [role, login]));
  const wants = new Set(callers.map(({ role }) => role));
  const given = gainsOf(standing, grants);
  return [
    ...callers.flatMap(({ role }) => wakened(role, logins.get(role))),
    ...lossesOf(standing, grants).map(
      (one) => `REVOKE ${one.privilege} ON ${tableText(one)} FROM ${quoted(one.role)};`,
    ),
    ...standing.roles
      .filter(({ role, login }) => login && !wants.has(role))
      .map(({ role }) => `ALTER ROLE ${quoted(role)} NOLOGIN;`),
    ...new Set(given.filter(({ schema }) => schema !== "public").map(usageText)),
    ...given.map((one) => `GRANT ${one.privilege} ON ${tableText(one)} TO ${quoted(one.role)};`),
  ];
}

/** What is to be granted. A grant on columns is less than one on the table. */
export const gainsOf = ({ grants }: StandingAccess, wanted: readonly TableGrant[]): readonly TableGrant[] =>
  missingFrom(
    grants.filter(({ whole }) => whole),
    wanted,
  );

/** What is to be revoked, each once: on a table that takes the same from its columns. */
export const lossesOf = ({ grants }: StandingAccess, wanted: readonly TableGrant[]): readonly TableGrant[] => [
  ...new Map(missingFrom(wanted, grants).map((one) => [grantKey(one), one])).values(),
];

function wakened(role: string, login: boolean | undefined): readonly string[] {
  if (login === true) return [];
  if (login === false) return [`ALTER ROLE ${quoted(role)} LOGIN;`];
  return [`CREATE ROLE ${quoted(role)} LOGIN;`, `COMMENT ON ROLE ${quoted(role)} IS '${OUR_ROLE}';`];
}

const usageText = ({ schema, role }: TableGrant): string =>
  `GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role)};`;

const tableText = ({ schema, table }: TableGrant): string => `${quoted(schema)}.${quoted(table)}`;

/** The grants of the second list that are not in the first. */
export function missingFrom(known: readonly TableGrant[], grants: readonly TableGrant[]): readonly TableGrant[] {
  const has = new Set(known.map(grantKey));
  return grants.filter((one) => !has.has(grantKey(one)));
}

const grantKey = ({ role, schema, table, privilege }: TableGrant): string =>
  JSON.stringify([role, schema, table, privilege]);

/** Lines for pg_hba.conf: our roles by certificate over TLS, and in no other way. The first line that fits decides. */
export const hbaText = (roles: readonly string[]): string =>
  [
    ...roles.map((role) => `hostssl all ${quoted(role)} all cert map=signet\n`),
    ...roles.flatMap((role) => [`host all ${quoted(role)} all reject\n`, `local all ${quoted(role)} reject\n`]),
  ].join("");

/** Lines for pg_ident.conf: which common name may log in as which role. */
export const identText = (callers: readonly Caller[]): string =>
  callers
    .flatMap(({ role, certificates }) => certificates.map((name) => `signet ${quoted(name)} ${quoted(role)}\n`))
    .join("");

const [BEGIN, END] = ["# BEGIN Signet: written by `signet policy apply`\n", "# END Signet\n"];

/** A file with these lines of ours before all others, in place of those that stood there. */
export function withOurLines(file: string, lines: string): string {
  const { others } = parted(file);
  return lines === "" ? others : `${BEGIN}${lines}${END}${others}`;
}

/** A file with these lines of ours beside those that stand there. */
export function withMoreOfOurs(file: string, lines: string): string {
  const all = `${parted(file).ours}${lines}`.split("\n").filter((line) => line !== "");
  return withOurLines(file, [...new Set(all)].map((line) => `${line}\n`).join(""));
}

function parted(file: string): { readonly ours: string; readonly others: string } {
  const [from, until] = [file.indexOf(BEGIN), file.indexOf(END)];
  if (from < 0 || until < from) return { ours: "", others: file };
  return {
    ours: file.slice(from + BEGIN.length, until),
    others: file.slice(0, from) + file.slice(until + END.length),
  };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
