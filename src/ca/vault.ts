/** What was read of a vault: a text, if there is one, and what a change of it must name. */
export type Kept = { readonly text: string | undefined; readonly version: string };

/** A place that keeps one text with secrets in it, written whole. */
export type Vault = {
  /** Rejects where it cannot be read or opened. */
  readonly read: () => Promise<Kept>;
  /** Writes only where nobody wrote since; false where somebody did. Resolves when it is durable. */
  readonly write: (text: string, version: string) => Promise<boolean>;
};
