import { OID } from "./oids.ts";
import { sequence, TAG, tagged, utf8 } from "./write.ts";

/** A distinguished name of these attributes, in their order (RFC 5280 §4.1.2.4); without any it is empty. */
export const distinguishedName = (
  ...attributes: readonly (readonly [id: "organization" | "commonName", value: string])[]
): Buffer => sequence(...attributes.map(([id, value]) => tagged(TAG.set, sequence(OID[id], utf8(value)))));
