import { ok, refuse, type Result } from "../domain/problem.ts";

/** Which token and which key a URI names, by which module, and where the PIN is read (RFC 7512). */
export type Pkcs11Uri = {
  /** Label of the token. */
  readonly token: string;
  /** Label of the key. */
  readonly object?: string;
  /** Identifier of the key (CKA_ID), lower-case hexadecimal. */
  readonly id?: string;
  /** Path of the PKCS#11 library. */
  readonly modulePath?: string;
  /** Path of the file with the PIN. */
  readonly pinFile?: string;
};

/** Attributes that are used, and those that may stand there: they narrow what these fix already. */
const USED = ["token", "object", "id", "module-path", "pin-source"];
const IGNORED = ["type", "manufacturer", "model", "serial", "slot-id", "library-manufacturer"];

/**
 * Reads a PKCS#11 URI (RFC 7512 §2.3): `token`, and `object` or `id`, in the path; `module-path` and `pin-source` (a file)
 * in the query. A PIN in the URI itself is refused: it would stand in process lists, logs and the ledger.
 */
export function parsePkcs11Uri(text: string, path: string): Result<Pkcs11Uri> {
  const [, body, query = ""] = /^pkcs11:([^?]*)(?:\?(.*))?$/.exec(text) ?? [];
  if (body === undefined) return invalid(path, "it does not begin with pkcs11:");
  const found = attributesOf([...body.split(";"), ...query.split("&")].filter((each) => each !== ""));
  if (typeof found === "string") return invalid(path, found);
  const uri = uriOf(found);
  if (uri.token === "") return invalid(path, "it names no token");
  if (found.has("pin-source") && !uri.pinFile?.startsWith("/"))
    return invalid(path, "its pin-source is not a file by its whole path");
  return ok(uri);
}

/** Attributes by their names, or what is wrong with one. */
function attributesOf(parts: readonly string[]): ReadonlyMap<string, Buffer> | string {
  const found = new Map<string, Buffer>();
  for (const part of parts) {
    const [name = "", ...value] = part.split("=");
    const wrong = oddAttribute(name, found);
    const bytes = percentDecoded(value.join("="));
    if (wrong !== undefined || !bytes) return wrong ?? `"${name}" is not percent-encoded`;
    found.set(name, bytes);
  }
  return found;
}

const invalid = (path: string, why: string): Result<never> =>
  refuse(
    "FIELD_INVALID",
    path,
    `The PKCS#11 URI cannot be used: ${why}.`,
    "Write for example pkcs11:token=signet;object=issuing?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/signet/pin",
  );

function oddAttribute(name: string, found: ReadonlyMap<string, Buffer>): string | undefined {
  if (name === "pin-value") return "a PIN must not stand in it; pin-source names the file that holds it";
  if (found.has(name)) return `"${name}" stands twice`;
  return USED.includes(name) || IGNORED.includes(name) ? undefined : `"${name}" is not known here`;
}

function uriOf(found: ReadonlyMap<string, Buffer>): Pkcs11Uri {
  const part = <Name extends string>(name: Name, attribute: string, form: "utf8" | "hex" = "utf8") => {
    const value = found.get(attribute)?.toString(form);
    return (value === undefined ? {} : { [name]: value.replace(/^file:(\/\/(?=\/))?/, "") }) as Partial<
      Record<Name, string>
    >;
  };
  return {
    token: found.get("token")?.toString("utf8") ?? "",
    ...part("object", "object"),
    ...part("id", "id", "hex"),
    ...part("modulePath", "module-path"),
    ...part("pinFile", "pin-source"),
  };
}

function percentDecoded(text: string): Buffer | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text) || /[^\x21-\x7e]/.test(text)) return undefined;
  const octet = (_: string, digits: string): string => String.fromCharCode(Number.parseInt(digits, 16));
  return Buffer.from(text.replace(/%([0-9a-fA-F]{2})/g, octet), "latin1");
}

/** The whole URI again. It holds no PIN. */
export function renderPkcs11Uri({ token, object, id, modulePath, pinFile }: Pkcs11Uri): string {
  const written = (name: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`];
  const path = [
    ...written("token", token),
    ...written("object", object),
    ...(id === undefined ? [] : [`id=${id.replace(/../g, "%$&")}`]),
  ];
  const source = pinFile === undefined ? undefined : `file:${pinFile}`;
  const query = [...written("module-path", modulePath), ...written("pin-source", source)];
  return `pkcs11:${path.join(";")}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}
