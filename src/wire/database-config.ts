import Type, { type Static } from "typebox";
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

/** The configuration with its defaults, nothing where there is none; a Unix socket is never encrypted. */
export function databaseConfig(written: Static<typeof DATABASE_CONFIG> | undefined): {
  readonly database?: DatabaseConfig;
} {
  if (!written) return {};
  const { host, port = 5432, name = "signet", user = "signet", passwordFile, tls = "verify", ca } = written;
  const encrypted = tls === "verify" && !host.startsWith("/");
  const database = Object.freeze({
    host,
    port,
    name,
    user,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(encrypted ? { tls: Object.freeze(ca === undefined ? {} : { ca }) } : {}),
  });
  return { database };
}
