import Type, { type Static } from "typebox";
import type { AuthorityProfile, LeafProfile, Profiles } from "../domain/certificate.ts";
import { parseDuration } from "../domain/duration.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type Document, readDocuments } from "./documents.ts";
import { duration, fields, oneOf, setOf, text } from "./kinds/fields.ts";
import { KEY_TYPES } from "./kinds/trust-domain.ts";
import { readBySchema } from "./read-by-schema.ts";
import { problemAt } from "./read-object.ts";

const keyUsage = setOf("Key usage.", oneOf("A usage.", ["digitalSignature", "keyCertSign", "cRLSign"] as const), 3, {
  minItems: 1,
});
const name = text("Name of the profile, for messages and the ledger.", 63);

const LEAF = fields("What certificates of workloads have in common.", {
  name,
  sort: oneOf("What it is for.", ["leaf"] as const),
  keyTypes: setOf("Key types that are accepted.", oneOf("A key type.", KEY_TYPES), 6, { minItems: 1 }),
  keyUsage,
  extendedKeyUsage: setOf("Purposes.", oneOf("A purpose.", ["serverAuth", "clientAuth"] as const), 2),
  minTTL: duration("Shortest lifetime."),
  maxTTL: duration("Longest lifetime; role, segment and trust domain shorten it."),
  backdate: duration("How long before now a certificate begins, for slow clocks."),
});

const AUTHORITY = fields("What an authority's certificate is like.", {
  name,
  sort: oneOf("What it is for.", ["root", "issuing"] as const),
  keyType: oneOf("Key type.", ["ECDSAP256", "ECDSAP384", "RSA3072", "RSA4096"] as const),
  keyUsage,
  lifetime: duration("How long it holds."),
  backdate: duration("How long before now it begins, for slow clocks."),
  pathLength: Type.Integer({ description: "How many authorities may stand below it.", minimum: 0, maximum: 4 }),
  constrained: Type.Boolean({ description: "Whether names of other trust domains are forbidden below it." }),
});

type Leaf = Static<typeof LEAF>;
type Authority = Static<typeof AUTHORITY>;

/** A profile's file: its name, for messages, and its text. */
export type ProfileFile = { readonly name: string; readonly text: string };

/**
 * Reads the three profiles of `certs/`; each text is one YAML document. Unknown keys are refused, and so is a profile that
 * breaks a rule of X509-SVID, with the rule's number.
 */
export function readProfiles(files: Readonly<Record<keyof Profiles, ProfileFile>>): Result<Profiles> {
  const leaf = readOne(files.leaf, LEAF, LEAF_RULES);
  const issuing = readOne(files.issuing, AUTHORITY, ISSUING_RULES);
  const root = readOne(files.root, AUTHORITY, ROOT_RULES);
  if (leaf.ok && issuing.ok && root.ok)
    return ok({ leaf: leafProfile(leaf.value), issuing: authority(issuing.value), root: authority(root.value) });
  return refuseAll([leaf, issuing, root].flatMap((each) => (each.ok ? [] : each.problems)));
}

type Rule<T> = readonly [field: string, holds: (profile: T) => boolean, sentence: string];

const LEAF_RULES: readonly Rule<Leaf>[] = [
  [
    "keyUsage",
    ({ keyUsage: [only, ...more] }) => only === "digitalSignature" && more.length === 0,
    "A leaf's key usage is digitalSignature alone (X509-SVID §4.3).",
  ],
  [
    "extendedKeyUsage",
    ({ extendedKeyUsage }) => extendedKeyUsage.length === 2,
    "A leaf is for serverAuth and clientAuth both (X509-SVID §4.4).",
  ],
  [
    "maxTTL",
    ({ minTTL, maxTTL }) => seconds(minTTL) <= seconds(maxTTL),
    "The longest lifetime is shorter than the shortest.",
  ],
  [
    "backdate",
    ({ minTTL, backdate }) => seconds(backdate) < seconds(minTTL),
    "A certificate must still hold when it is issued.",
  ],
];

const AUTHORITY_RULES: readonly Rule<Authority>[] = [
  [
    "keyUsage",
    ({ keyUsage }) => keyUsage.includes("keyCertSign"),
    "An authority signs certificates: keyCertSign (X509-SVID §3.2).",
  ],
  [
    "keyUsage",
    ({ keyUsage }) => !keyUsage.includes("digitalSignature"),
    "An authority's certificate must not authenticate: no digitalSignature (X509-SVID §3.2).",
  ],
];

const ISSUING_RULES: readonly Rule<Authority>[] = [
  ...AUTHORITY_RULES,
  ["sort", ({ sort }) => sort === "issuing", "This file holds the issuing authority's profile."],
];

const ROOT_RULES: readonly Rule<Authority>[] = [
  ...AUTHORITY_RULES,
  ["sort", ({ sort }) => sort === "root", "This file holds the root's profile."],
  ["pathLength", ({ pathLength }) => pathLength > 0, "An issuing authority must fit below the root."],
];

/** The schema has checked the form already. */
const seconds = (written: string): number => {
  const read = parseDuration(written, "");
  return read.ok ? read.value : 0;
};

function readOne<S extends typeof LEAF | typeof AUTHORITY>(
  file: ProfileFile,
  schema: S,
  rules: readonly Rule<Static<S>>[],
): Result<Static<S>> {
  const documents = readDocuments(file.text, file.name);
  if (!documents.ok) return documents;
  const [document, ...more] = documents.value;
  if (!document || more.length > 0)
    return refuse("FIELD_MISSING", file.name, `${file.name} does not hold one profile.`, "Write one YAML document.");
  const read = readBySchema(schema, document.value, { document, base: [] }, []);
  if (!read.ok) return read;
  const broken = rules.filter(([, holds]) => !holds(read.value));
  return broken.length === 0
    ? read
    : refuseAll(broken.map(([field, , sentence]) => unlawful(document, field, sentence)));
}

const unlawful = (document: Document, field: string, message: string) =>
  problemAt({ document, base: [] }, [field], { code: "FIELD_INVALID", message });

const leafProfile = ({ minTTL, maxTTL, backdate, ...rest }: Leaf): LeafProfile =>
  Object.freeze({
    ...rest,
    minTtlSeconds: seconds(minTTL),
    maxTtlSeconds: seconds(maxTTL),
    backdateSeconds: seconds(backdate),
  });

const authority = ({ lifetime, backdate, ...rest }: Authority): AuthorityProfile =>
  Object.freeze({ ...rest, lifetimeSeconds: seconds(lifetime), backdateSeconds: seconds(backdate) });
