import Type, { type Static } from "typebox";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { readDocuments } from "./documents.ts";
import { readBySchema } from "./read-by-schema.ts";
import { fields, oneOf, optional, text } from "./kinds/fields.ts";

/** The PostgreSQL part of the server's configuration. */
export const DATABASE_CONFIG = fields(
  "PostgreSQL that the ledger is copied to; left out: the local file is all there is. Nothing ever waits for it.",
  {
    host: text("Name or address; a path is the folder of a Unix socket.", 253),
    port: optional(Type.Integer({ description: "Port.", minimum: 1, maximum: 65_535, default: 5432 })),
    name: optional(text("Name of the database.", 63, { default: "signet" })),
    user: optional(
      text("Whom to connect as; the owner of the tables, which are made where they are missing.", 63, {
        default: "signet",
      }),
    ),
    passwordFile: optional(text("Path of a file with the password, read at each connection.", 4096)),
    tls: optional(
      oneOf(
        "verify: encrypted, and the server's certificate is checked. none: for a Unix socket, or a network that is trusted.",
        ["verify", "none"],
        {
          default: "verify",
        },
      ),
    ),
    ca: optional(
      text("Path of the authority, PEM, of the server's certificate; left out: those that Node knows.", 4096),
    ),
  },
);

/** Where the ledger is copied to, whole. */
export type DatabaseConfig = {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly passwordFile?: string;
  /** Absent: not encrypted. */
  readonly tls?: { readonly ca?: string };
};

/** Reads a file that holds nothing but these fields. */
export function readDatabaseConfig(file: { readonly name: string; readonly text: string }): Result<DatabaseConfig> {
  const documents = readDocuments(file.text, file.name);
  if (!documents.ok) return documents;
  const [document, second] = documents.value;
  if (!document || second)
    return refuse(
      "FIELD_CONFLICT",
      "",
      `${file.name} holds ${document ? "several documents" : "nothing"}.`,
      "Keep one.",
    );
  const read = readBySchema(DATABASE_CONFIG, document.value, { document, base: [] }, []);
  return read.ok ? ok(databaseOf(read.value)) : read;
}

/** The configuration with its defaults, nothing where there is none. */
export const databaseConfig = (
  written: Static<typeof DATABASE_CONFIG> | undefined,
): { readonly database?: DatabaseConfig } => (written ? { database: databaseOf(written) } : {});

/** With its defaults; a Unix socket is never encrypted. */
function databaseOf(written: Static<typeof DATABASE_CONFIG>): DatabaseConfig {
  const { host, port = 5432, name = "signet", user = "signet", passwordFile, tls = "verify", ca } = written;
  const encrypted = tls === "verify" && !host.startsWith("/");
  return Object.freeze({
    host,
    port,
    name,
    user,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(encrypted ? { tls: Object.freeze(ca === undefined ? {} : { ca }) } : {}),
  });
}
