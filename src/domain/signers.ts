/** The signer under whose name the bundle of a federated trust domain is published; by the name of its TrustDomain. */
export const federatedSigner = (trustDomain: string): string => `signet.dev/federated.${trustDomain}`;
