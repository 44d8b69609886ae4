/** A fixed sentence and its fields; never a secret among them. */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  sentence: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/** What a caught value says of itself, for a log line. */
export const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
