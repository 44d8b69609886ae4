import Type, { type Static } from "typebox";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { fields, optional, text } from "./kinds/fields.ts";

/** Where a server finds signed grants, as its configuration says it. */
export const GRANT_CONFIG = fields("Signed grants of exceptions; left out: none are read.", {
  folder: optional(text("Folder of grants, one in each file whose name ends in .jws; watched.", 4096)),
  keys: optional(
    text(
      "File with the public keys that grants count by, as `signet exceptions keygen` prints them; watched. Whoever may write it may grant.",
      4096,
    ),
  ),
  required: optional(
    Type.Boolean({
      description: "Only a signature grants an exception: what folder or cluster say of approvals is not believed.",
      default: false,
    }),
  ),
});

/** The same, whole. */
export type GrantConfig = {
  readonly folder: string;
  readonly keys: string;
  /** Nothing else grants an exception. */
  readonly required: boolean;
};

/** What flags may say over the file. */
export type GrantFlags = {
  readonly grants?: string;
  readonly grantKeys?: string;
  readonly requireSignedGrants?: boolean;
};

/** What was written, and the flags over it. Both halves or none: grants without keys would silently count for nothing. */
export function grantConfig(
  written: Static<typeof GRANT_CONFIG> = {},
  flags: GrantFlags,
): Result<{ readonly grants?: GrantConfig }> {
  const { folder, keys, required = false } = { ...written, ...said(flags) };
  if (folder !== undefined && keys !== undefined) return ok({ grants: Object.freeze({ folder, keys, required }) });
  if (folder === undefined && keys === undefined && !required) return ok({});
  return refuse(
    "FIELD_CONFLICT",
    "grants",
    "Signed grants need a folder and the keys that they count by.",
    "Write grants.folder and grants.keys, or --grants and --grant-keys.",
  );
}

const said = ({ grants, grantKeys, requireSignedGrants }: GrantFlags): Static<typeof GRANT_CONFIG> => ({
  ...(grants === undefined ? {} : { folder: grants }),
  ...(grantKeys === undefined ? {} : { keys: grantKeys }),
  ...(requireSignedGrants === undefined ? {} : { required: requireSignedGrants }),
});
