/** Prefixes of the labels and annotations that only Signet writes. */
export const RESERVED_PREFIXES = ["signet.dev/", "role.signet.dev/"] as const;

/** The annotation by which a user points to a granted exception. */
export const EXCEPTION_ANNOTATION = "signet.dev/exception";
/** The annotation by which a user picks one of several roles that fit. */
export const USE_ROLE_ANNOTATION = "signet.dev/use-role";
/** The label that enrols a namespace; guarded by the verb `enrol`. */
export const ENROL_LABEL = "signet.dev/enrol";
/** The stamp's label for the role, and on namespaces nothing. */
export const ROLE_LABEL = "signet.dev/role";
/** The stamp's label for the segment; on a Namespace the guarded grant of that segment. */
export const SEGMENT_LABEL = "signet.dev/segment";
/** The stamp's label for the segment's environment. */
export const ENVIRONMENT_LABEL = "signet.dev/environment";
/** The stamp's label for the segment's classification. */
export const CLASSIFICATION_LABEL = "signet.dev/classification";
/** Prefix of the labels that a role brings. */
export const ROLE_LABEL_PREFIX = "role.signet.dev/";
/** The stamp's annotation for the identity. */
export const SPIFFE_ID_ANNOTATION = "signet.dev/spiffe-id";
/** The stamp's annotation for names, UIDs and approved generations of role and segment. */
export const STAMP_ANNOTATION = "signet.dev/stamp";
/** On Signet's own kinds: who edited the object since its last approved generation. Admission writes it. */
export const EDITORS_ANNOTATION = "signet.dev/editors";

/** The two annotations under Signet's prefixes that users may write. */
export const USER_ANNOTATIONS = [EXCEPTION_ANNOTATION, USE_ROLE_ANNOTATION] as const;

/** The same, to look a key up. */
export const USERS_MAY_WRITE: ReadonlySet<string> = new Set(USER_ANNOTATIONS);

function hasReservedPrefix(key: string): boolean {
  for (const prefix of RESERVED_PREFIXES) if (key.startsWith(prefix)) return true;
  return false;
}

/** The label of Pods that are under quarantine, whatever names them: data planes that know no Pods know it. */
export const QUARANTINE_LABEL = "signet.dev/quarantine";

/** Whether a label key is Signet's alone. */
export const isReservedLabel = (key: string): boolean => hasReservedPrefix(key);

/** Whether a label key belongs to the stamp: all that is reserved but what says that a Pod is under quarantine. */
export const isStampLabel = (key: string): boolean => isReservedLabel(key) && key !== QUARANTINE_LABEL;

/** Whether an annotation key is Signet's alone: all under its prefixes but the two that users may write. */
export const isReservedAnnotation = (key: string): boolean => hasReservedPrefix(key) && !USERS_MAY_WRITE.has(key);
