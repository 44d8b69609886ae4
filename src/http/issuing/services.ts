import type { Instant } from "../../domain/instant.ts";
import type { Result } from "../../domain/problem.ts";

/** What a caller shows of itself: a bearer token, or the certificates (DER, leaf first) of its connection. */
export type Credential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "certificate"; readonly chain: readonly Buffer[] };

/** What is asked for an X.509-SVID; a certificate request in PEM. */
export type SvidWish = { readonly csr: string; readonly ttlSeconds?: number };

/** What is asked for a JWT-SVID. */
export type TokenWish = { readonly audiences: readonly string[]; readonly ttlSeconds?: number };

/** An X.509-SVID as it leaves: PEM, leaf first; the bundle's roots; hexadecimal serial number. */
export type SvidAnswer = {
  readonly spiffeId: string;
  readonly serial: string;
  readonly certificates: string;
  readonly bundle: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
};

/** A JWT-SVID as it leaves. */
export type TokenAnswer = { readonly spiffeId: string; readonly token: string; readonly expiresAt: Instant };

/** By which door a caller comes. */
export type Door = "rest" | "grpc";

/** A caller whose word is no longer needed: who it is, and what it may have. */
export type Caller = {
  /** The name under which its share is counted: the same for all that hold one identity. */
  readonly identity: string;
  readonly issueSvid: (wish: SvidWish) => Promise<Result<SvidAnswer>>;
  readonly issueToken: (wish: TokenWish) => Promise<Result<TokenAnswer>>;
  /** What it may have in the name of a SPIFFE ID: its own, or for a node proxy one that a Pod of its node holds. */
  readonly inNameOf: (spiffeId: string) => Result<Pick<Caller, "issueSvid">>;
};

/** Documents that everybody may read; undefined while there are none. */
export type PublicDocuments = {
  readonly bundle: () => string | undefined;
  readonly keys: () => string | undefined;
  readonly discovery: () => string | undefined;
  /** Revocation lists, PEM, and a name for exactly these. */
  readonly lists: () => { readonly pem: string; readonly tag: string } | undefined;
};

/** What the issuing doors need of the rest of the server. */
export type Issuing = {
  /** Finds out who shows a credential. Refuses with CALLER_UNKNOWN, TOKEN_REFUSED or IDENTITY_RESTRICTED. */
  readonly authenticate: (credential: Credential, door: Door) => Promise<Result<Caller>>;
  readonly documents: PublicDocuments;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  readonly shares?: Partial<Shares>;
};

/** How much one caller may take: so many at once, then so many each second. */
export type Share = { readonly burst: number; readonly perSecond: number };

/** Shares by what they are counted for. */
export type Shares = {
  /** One credential, before anybody was asked who shows it. */
  readonly credential: Share;
  /** Refused credentials of one address. */
  readonly failures: Share;
  /** One identity, whatever credentials it has. */
  readonly identity: Share;
  /** Callers being asked about at one time. */
  readonly asking: number;
  /** Subscribers to changed documents at one time; whoever finds no place reads them again and again. */
  readonly subscribers: number;
  /** Of these, those of one address. */
  readonly subscribersOfOne: number;
};

/** A certificate is renewed once in hours; a Deployment that starts again asks for hundreds at once. */
export const SHARES: Shares = {
  credential: { burst: 20, perSecond: 5 },
  failures: { burst: 20, perSecond: 1 },
  identity: { burst: 500, perSecond: 50 },
  asking: 64,
  subscribers: 256,
  subscribersOfOne: 64,
};
