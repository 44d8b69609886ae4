/** Metadata as Signet's manifests write it. */
export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** An object for the API server, as plain data: what else it holds depends on its kind. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
};

/** Labels that every object of the installation carries. */
export const COMMON_LABELS = { "app.kubernetes.io/name": "signet", "app.kubernetes.io/part-of": "signet" } as const;

/** An object with the common labels, and whatever its kind has beside metadata. */
export const manifest = (
  type: readonly [apiVersion: string, kind: string],
  metadata: Metadata,
  rest: Readonly<Record<string, unknown>> = {},
): Manifest => ({
  apiVersion: type[0],
  kind: type[1],
  metadata: { ...metadata, labels: { ...COMMON_LABELS, ...metadata.labels } },
  ...rest,
});
