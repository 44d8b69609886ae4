import { hash } from "node:crypto";
import type { AuthoritySet } from "../reconcile/authority/authority-set.ts";
import type { AuthorityBook } from "../wire/authority-book.ts";
import type { AuthorityRecord, NewCertificate } from "../wire/authority-record.ts";

/** What the ledger says of a step: where all stand after it, and the certificates that it brings. */
export function recordOf(
  step: Pick<AuthorityRecord, "step" | "id">,
  set: AuthoritySet,
  material: AuthorityBook["material"] = {},
): AuthorityRecord {
  const brought = Object.entries(material).flatMap(([id, { root, chain }]): NewCertificate[] => [
    { what: "root", id: set.authorities.find((each) => each.id === id)?.root ?? "", sha256: digestOf(root) },
    { what: "issuing", id, sha256: digestOf(chain[0] ?? "") },
  ]);
  return {
    step: step.step,
    ...(step.id === undefined ? {} : { id: step.id }),
    sequence: set.sequence,
    authorities: set.authorities.map(({ id, state }) => ({ id, state })),
    certificates: brought,
  };
}

const digestOf = (base64: string): string => hash("sha256", Buffer.from(base64, "base64"));
