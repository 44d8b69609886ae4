/** Who renews by a certificate, for the ledger: the identity, and the serial number of what was shown. */
export const renewedBy = (spiffeId: string, serial: string): string => `${spiffeId}${BY}${serial}`;

const BY = " by certificate ";

/** The serial number of the certificate that a caller in the ledger has shown; undefined for one who came otherwise. */
export const shownSerial = (caller: string): string | undefined => caller.split(BY)[1];

/** Digits of a serial number that name its line: 64 bits. */
const LINE_DIGITS = 16;
const SERIAL_DIGITS = 32;

/**
 * The beginning of a serial number, which a certificate hands on to all that are renewed by it: any replica sees whether two
 * are of one line, whoever issued them. Undefined for a number that is not one of Signet's.
 */
export const lineOf = (serial: string): string | undefined =>
  serial.length === SERIAL_DIGITS ? serial.slice(0, LINE_DIGITS) : undefined;

/** Whether one certificate was renewed by the other, by whatever steps, or both by a third. */
export const ofOneLine = (serial: string, other: string): boolean =>
  serial === other || (lineOf(serial) !== undefined && lineOf(serial) === lineOf(other));
