/** Longest URL of a bundle endpoint. */
const MOST = 2048;

/** Whether a text is the URL of a bundle endpoint: https, and no user info (SPIFFE Federation §5.2.1.1). */
export function isBundleUrl(text: string): boolean {
  const url = text.length <= MOST ? URL.parse(text) : null;
  return url !== null && url.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "";
}
