type Say = (fields: object, sentence: string) => void;

/** Where the cluster's shells say what happens: fields, never a secret among them, and a fixed sentence. */
export type Log = { readonly debug: Say; readonly info: Say; readonly warn: Say; readonly error: Say };

/** What a caught value says of itself, for a log line. */
export const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
