import type { Instant } from "../domain/instant.ts";
import { isRaw, numberAt, type Raw, rawAt, textAt } from "./read-object.ts";

/** An authority with its key, both PEM. */
export type KeptAuthority = {
  /** Fingerprint of the certificate. */
  readonly id: string;
  readonly certificate: string;
  readonly key: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
};

/** What the Secret of serving certificates holds. */
export type ServingSecret = {
  /** Oldest first; never empty. */
  readonly authorities: readonly KeptAuthority[];
  readonly signer: string;
  readonly publishedAt?: Instant;
  readonly switchedAt?: Instant;
  readonly provenAt?: Instant;
  readonly abandonedAt?: Instant;
  /** The last request for another authority that was followed. */
  readonly rotated?: string;
};

const STATE_KEY = "state.json";
const BUNDLE_KEY = "ca.crt";

/** The annotation by which an operator asks for another authority: each new value once. */
export const ROTATE_ANNOTATION = "signet.dev/rotate";

/** How far a rollover has come, as far as it is written down. */
function marksOf(state: Raw): Pick<ServingSecret, (typeof MARKS)[number] | "rotated"> {
  const rotated = textAt(state, "rotated");
  const marks = MARKS.flatMap((mark) => {
    const at = numberAt(state, mark);
    return at === undefined ? [] : [[mark, at] as const];
  });
  return { ...Object.fromEntries(marks), ...(rotated === undefined ? {} : { rotated }) };
}

const MARKS = ["publishedAt", "switchedAt", "provenAt", "abandonedAt"] as const;

/** Reads the Secret's `data`; undefined where no authority is in it yet. Throws where what is in it cannot be read. */
export function readServingSecret(secret: Raw): ServingSecret | undefined {
  const kept = textAt(rawAt(secret, "data"), STATE_KEY);
  if (kept === undefined || kept === "") return undefined;
  const state: unknown = JSON.parse(Buffer.from(kept, "base64").toString("utf8"));
  if (!isRaw(state)) throw new Error("the Secret of serving certificates holds no state");
  const listed = Array.isArray(state["authorities"]) ? state["authorities"].filter(isRaw) : [];
  const authorities = listed.flatMap((each) => readAuthority(each) ?? []);
  const signer = textAt(state, "signer") ?? "";
  if (authorities.length !== listed.length || !authorities.some(({ id }) => id === signer))
    throw new Error("the Secret of serving certificates holds an authority that cannot be read");
  return { authorities, signer, ...marksOf(state) };
}

function readAuthority(raw: Raw): KeptAuthority | undefined {
  const [id, certificate, key] = [textAt(raw, "id"), textAt(raw, "certificate"), textAt(raw, "key")];
  const [notBefore, notAfter] = [numberAt(raw, "notBefore"), numberAt(raw, "notAfter")];
  if (id === undefined || certificate === undefined || key === undefined) return undefined;
  if (notBefore === undefined || notAfter === undefined) return undefined;
  return { id, certificate, key, notBefore, notAfter };
}

/** The Secret's `data`: the state with its keys, and the bundle for those who want to trust the server. */
export const renderServingSecret = (state: ServingSecret): Readonly<Record<string, string>> => ({
  [STATE_KEY]: Buffer.from(JSON.stringify(state)).toString("base64"),
  [BUNDLE_KEY]: Buffer.from(bundleText(state)).toString("base64"),
});

/** The certificates of all authorities, oldest first, PEM. */
export const bundleText = ({ authorities }: Pick<ServingSecret, "authorities">): string =>
  authorities.map(({ certificate }) => `${certificate.trim()}\n`).join("");

/** What was asked for on the Secret; undefined where nothing was. */
export const rotationAsked = (secret: Raw): string | undefined =>
  textAt(rawAt(rawAt(secret, "metadata"), "annotations"), ROTATE_ANNOTATION);

/** The certificates in a bundle, each trimmed PEM. */
export const splitBundle = (text: string): readonly string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
