import { rulingText } from "../intent/line.ts";
import { DIRECTIONS } from "../model/policy.ts";
import { type AddressSet, meet, noAddresses, parseCidr, setOf, uniteAddresses } from "../sets/address-set.ts";
import type { Order } from "./compile.ts";
import type { Doors } from "./doors.ts";
import type { Loss } from "./loss.ts";
import type { Opening } from "./opening.ts";

/** What is lost of lines by what they are, whoever stands at their ends: data, and ends that somebody must watch. */
export function standingLosses(order: Order, doors: Doors): readonly Loss[] {
  const { intent, targets, now } = order;
  const target = targets.join("+");
  const lines = intent.lines.filter(({ expires }) => expires === undefined || expires > now);
  const written = lines.flatMap((line): readonly Loss[] => {
    const loss = { target, rule: rulingText({ object: line.object, path: line.path }), workloads: [], residual: [] };
    return [
      ...(line.data ? [{ ...loss, code: "L7_UNENFORCED", effect: "unenforced" } as const] : []),
      ...(line.expires === undefined && line.notBefore === undefined
        ? []
        : [{ ...loss, code: "EXPIRY_BY_CONTROLLER", effect: "exact" } as const]),
    ];
  });
  return [...written, ...mayBePods(order, doors)];
}

/** Addresses that Pods and machines may have where nobody says which: RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE: AddressSet = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
  .flatMap((text) => parseCidr(text) ?? [])
  .map(setOf)
  .reduce(uniteAddresses);

/** Lines that open ranges in which Pods may be, where the Pod networks are not known. */
export function mayBePods({ site, targets }: Order, doors: Doors): readonly Loss[] {
  if (!noAddresses(site.podNetworks)) return [];
  const rules = new Set(
    doors.subjects
      .flatMap((subject) => DIRECTIONS.flatMap((direction) => subject[direction]))
      .filter(opensPrivate)
      .map(({ line: { object, path } }) => rulingText({ object, path })),
  );
  return [...rules].sort().map((rule) => ({
    target: targets.join("+"),
    code: "ADDRESS_MAY_BE_POD",
    effect: "wider",
    rule,
    workloads: [],
    residual: [],
  }));
}

const opensPrivate = ({ parties }: Opening): boolean =>
  parties.some((party) => party.kind === "addresses" && meet(party.addresses, PRIVATE));
