/** Paths of the documents that verifiers read, the same in every mode. */
export const BUNDLE_PATHS = {
  bundle: "/v1/bundle",
  discovery: "/.well-known/openid-configuration",
  keys: "/keys",
} as const;

/** Path of the revocation lists, and of the stream that says when a document has changed. */
export const CRL_PATH = "/v1/crl";
export const WATCH_PATH = "/v1/watch";

/**
 * The discovery document of an issuer of tokens (OpenID Connect Discovery §3): what AWS, Google Cloud, Azure and Vault read to
 * accept JWT-SVIDs. There is no authorization endpoint: tokens are for workloads.
 */
export function renderDiscovery(issuer: string): string {
  return `${JSON.stringify({
    issuer,
    jwks_uri: `${issuer}${BUNDLE_PATHS.keys}`,
    authorization_endpoint: "",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    claims_supported: ["iss", "sub", "aud", "exp", "iat", "jti"],
  })}\n`;
}
