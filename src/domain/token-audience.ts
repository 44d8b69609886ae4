/** The audience that a service account's token must name to be shown at Signet's doors. */
export const TOKEN_AUDIENCE = "signet.dev";
