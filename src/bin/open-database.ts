import { readFileSync } from "node:fs";
import type { OpenDatabase } from "../cli/database-access.ts";
import { ok, refuse } from "../domain/problem.ts";
import { Database } from "../store/postgres/database.ts";
import { readDatabaseConfig } from "../wire/database-config.ts";

/** Opens the PostgreSQL that a file names: the fields of a server's part `database`. */
export const openDatabase: OpenDatabase = async (file) => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return refuse(
      "FILE_UNREADABLE",
      "--database",
      `"${file}" could not be read.`,
      "Check the path and its permissions.",
    );
  }
  const config = readDatabaseConfig({ name: file, text });
  if (!config.ok) return config;
  try {
    const database = await Database.open(config.value);
    return ok({
      transaction: (work) => database.transaction(work),
      roles: (names, comment) => database.roles(names, comment),
      granted: (roles) => database.granted(roles),
      may: (roles) => database.may(roles),
      run: (statement) => database.run(statement),
      endSessions: (roles) => database.endSessions(roles),
      changeFiles: (hba, ident) => database.changeFiles(hba, ident),
      close: () => database.close(),
    });
  } catch (fault) {
    const { host, name } = config.value;
    return refuse(
      "DATABASE_UNREADABLE",
      "--database",
      `The database ${name} at ${host} cannot be reached: ${fault instanceof Error ? fault.message : String(fault)}.`,
      `Check that it runs, and what ${file} says.`,
    );
  }
};
