const CODES = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;

/** Colours a text where the terminal shows colours, and leaves it alone elsewhere. */
export type Paint = (color: keyof typeof CODES, text: string) => string;

/** The painter for a terminal that does, or does not, show colours. */
export const painter = (color: boolean): Paint =>
  color ? (name, text) => `\u001b[${CODES[name]}m${text}\u001b[0m` : (_name, text) => text;
