import type { Catalogue, NamespaceView } from "../../domain/catalogue.ts";
import { rolesOfIdentity } from "../../domain/catalogue.ts";
import type { Role } from "../../domain/definitions.ts";
import { type Finding, finding, standing } from "./finding.ts";
import { canBothFit } from "./overlap.ts";

/** Two roles that cover one account, and the first place where they do. */
type Pair = { readonly first: Role; readonly second: Role; readonly account: string; places: number };

/**
 * Accounts that several roles cover: of two segments (every workload of the account is refused), of one segment and fitting
 * one workload (refused unless an annotation picks), or of one segment and told apart (one principal all the same).
 */
export function lintAccounts(catalogue: Catalogue): readonly Finding[] {
  const pairs = new Map<string, Pair>();
  for (const view of catalogue.namespaces.values())
    for (const [account, roles] of coverage(view)) collect(pairs, `${view.name}/${account}`, roles);
  return [...pairs.values()].flatMap(findingsOf);
}

const OTHERS = "*";

/** Account → the roles that cover it; `*` stands for every account that no role names. */
function* coverage(view: NamespaceView): Generator<readonly [string, readonly Role[]]> {
  for (const account of view.rolesByAccount.keys()) yield [account, rolesOfIdentity(view, account)];
  yield [OTHERS, view.rolesOfAnyAccount];
}

function collect(pairs: Map<string, Pair>, account: string, roles: readonly Role[]): void {
  const sorted = [...roles].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [index, first] of sorted.entries())
    for (const second of sorted.slice(index + 1)) {
      const key = `${first.name}/${second.name}`;
      const known = pairs.get(key);
      if (known) known.places++;
      else pairs.set(key, { first, second, account, places: 1 });
    }
}

function findingsOf(pair: Pair): readonly Finding[] {
  if (pair.first.segment !== pair.second.segment) return [spans(pair)];
  return canBothFit(pair.first, pair.second) ? [ambiguous(pair), shared(pair)] : [shared(pair)];
}

const placesText = ({ account, places }: Pair): string => {
  const where = account.endsWith(`/${OTHERS}`)
    ? `every account of ${account.slice(0, -2)} that no role names`
    : `account ${account}`;
  return places > 1 ? `${where} and ${places - 1} more` : where;
};

const spans = (pair: Pair): Finding =>
  finding(
    "error",
    "IDENTITY_SPANS_SEGMENTS",
    { kind: "WorkloadRole", definition: pair.second },
    {
      path: "spec.match",
      message: `Roles ${pair.first.name} of ${pair.first.segment}${standing(pair.first)} and ${pair.second.name} of ${pair.second.segment} cover ${placesText(pair)}.`,
      mend: "Give the roles different service accounts, or put them in one segment.",
    },
  );

const ambiguous = (pair: Pair): Finding =>
  finding(
    "error",
    "ROLE_AMBIGUOUS",
    { kind: "WorkloadRole", definition: pair.second },
    {
      path: "spec.match",
      message: `Roles ${pair.first.name}${standing(pair.first)} and ${pair.second.name} can both fit one workload of ${placesText(pair)}.`,
      mend: "Give each role a service account of its own, or labels that exclude each other.",
    },
  );

const shared = (pair: Pair): Finding =>
  finding(
    "warning",
    "ACCOUNT_SHARED",
    { kind: "WorkloadRole", definition: pair.second },
    {
      path: "spec.match.serviceAccounts",
      message: `Roles ${pair.first.name}${standing(pair.first)} and ${pair.second.name} share ${placesText(pair)}.`,
      mend: "Give each role a service account of its own; targets that enforce by identity cannot tell these apart.",
    },
  );
