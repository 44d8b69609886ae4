/** What one caller may take. Sizes in bytes, times in milliseconds. */
export type Limits = {
  /** Largest body; controller-runtime takes as much. */
  readonly bodyBytes: number;
  /** Bodies being read at one time, all connections together. */
  readonly bodiesBytes: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** Longer than the 90 s after which Go closes idle connections, or the API server meets a closing one (EOF). */
  readonly keepAliveMs: number;
  readonly headersMs: number;
  /** A whole request; above the API server's longest webhook timeout of 30 s. */
  readonly requestMs: number;
  readonly handshakeMs: number;
  /** From a connection's start to its first whole request. */
  readonly firstRequestMs: number;
  /** Connections older than this are closed after their next answer, so that they move to a renewed certificate. */
  readonly connectionAgeMs: number;
};

const MIB = 1024 * 1024;

/** The limits of a server that API servers call. */
export const LIMITS: Limits = {
  bodyBytes: 7 * MIB,
  bodiesBytes: 64 * MIB,
  headerBytes: MIB,
  connections: 1024,
  keepAliveMs: 120_000,
  headersMs: 125_000,
  requestMs: 130_000,
  handshakeMs: 10_000,
  firstRequestMs: 35_000,
  connectionAgeMs: 3_600_000,
};
