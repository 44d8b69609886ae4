/** Who renews by a certificate, for the ledger: the identity, and the serial number of what was shown. */
export const renewedBy = (spiffeId: string, serial: string): string => `${spiffeId}${BY}${serial}`;

const BY = " by certificate ";

/** The serial number of the certificate that a caller in the ledger has shown; undefined for one who came otherwise. */
export const shownSerial = (caller: string): string | undefined => caller.split(BY)[1];
