import { SIGNET_ACCOUNT } from "../../domain/exempt-namespaces.ts";
import { RESERVED_PREFIXES, USERS_MAY_WRITE } from "../../domain/reserved-keys.ts";

/** A CEL text: single quotes, with what would end it escaped. */
export const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** A CEL list of texts. */
export const listed = (texts: Iterable<string>): string => `[${[...texts].map(quoted).join(", ")}]`;

/** Whether the request comes from Signet's own account. */
export const FROM_SIGNET = `request.userInfo.username == ${quoted(SIGNET_ACCOUNT)}`;

/** Whether the request comes from a kubelet. */
export const FROM_NODE = "('system:nodes' in request.userInfo.groups)";

const reservedPrefix = (key: string): string =>
  `(${RESERVED_PREFIXES.map((prefix) => `${key}.startsWith(${quoted(prefix)})`).join(" || ")})`;

/** Whether a label's key is Signet's alone. */
export const reservedLabel = (key: string): string => reservedPrefix(key);

/** Whether an annotation's key is Signet's alone. */
export const reservedAnnotation = (key: string): string =>
  `(${reservedPrefix(key)} && !(${key} in ${listed(USERS_MAY_WRITE)}))`;

/** Whether the caller holds a verb in Signet's group, on one object of a resource. */
export const allowed = (verb: string, resource: string, name: string, namespace?: string): string =>
  `authorizer.group('signet.dev').resource(${resource})${namespace === undefined ? "" : `.namespace(${namespace})`}` +
  `.name(${name}).check(${quoted(verb)}).allowed()`;
