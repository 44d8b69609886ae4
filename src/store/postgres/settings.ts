import { readFileSync } from "node:fs";
import type { ClientConfig } from "pg";

/** The PostgreSQL that ledgers are copied to. */
export type DatabaseSettings = {
  /** Name or address; a path is the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly passwordFile?: string;
  /** Absent: the connection is not encrypted. */
  readonly tls?: { readonly ca?: string };
};

const CONNECT_MS = 5_000;
const QUERY_MS = 20_000;

/** How a client connects. Password and authority are read each time, so that changed ones count. Throws where one cannot be. */
export function clientConfig({ host, port, name, user, passwordFile, tls }: DatabaseSettings): ClientConfig {
  return {
    host,
    port,
    database: name,
    user,
    application_name: "signet",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    statement_timeout: QUERY_MS,
    ...(passwordFile === undefined ? {} : { password: readFileSync(passwordFile, "utf8").trim() }),
    ...(tls === undefined ? {} : { ssl: tls.ca === undefined ? true : { ca: readFileSync(tls.ca, "utf8") } }),
  };
}
