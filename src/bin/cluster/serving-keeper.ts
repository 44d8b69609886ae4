import { certificateFromFolder } from "../../ca/certificate-folder.ts";
import type { ServingCertificate } from "../../ca/serving.ts";
import { signLeaf } from "../../ca/serving-certificates.ts";
import type { Instant } from "../../domain/instant.ts";
import { bundleText, type ServingSecret } from "../../wire/serving-secret.ts";
import { foundServing, type ServingStore } from "./serving-store.ts";

/** A leaf of the shared authority, and which authority signed it. */
export type SharedCertificate = ServingCertificate & { readonly signer: string };

/** What a replica needs to keep itself a certificate. */
export type KeeperMeans = {
  readonly store: ServingStore;
  readonly names: readonly string[];
  readonly leafMs: number;
  readonly authorityMs: number;
  readonly now: () => Instant;
  /** Where somebody else keeps the certificate; absent: the store's authority signs. */
  readonly certificateFolder?: string;
};

const BACKDATE_MS = 5 * 60_000;

/**
 * The certificate to serve with as of now: the current one as long as its signer signs and half its life is left, else a new
 * one of its own key. The leaf never leaves the process.
 */
export async function keepCertificate(
  means: KeeperMeans,
  current: SharedCertificate | undefined,
): Promise<SharedCertificate> {
  const folder = means.certificateFolder;
  if (folder !== undefined) return { ...certificateFromFolder(folder), signer: folder };
  return current
    ? renewed(means, current)
    : signed(means, await foundServing(means.store, means.authorityMs, means.now));
}

async function renewed(means: KeeperMeans, current: SharedCertificate): Promise<SharedCertificate> {
  const { state } = await means.store.read();
  // The Secret is gone: whoever writes brings it back as it was.
  if (!state) return current;
  const authority = bundleText(state);
  const fits = current.signer === state.signer && means.now() < current.renewAt;
  if (fits) return authority === current.authority ? current : { ...current, authority };
  return signed(means, state);
}

/** A new leaf by the authority that signs. */
async function signed({ names, leafMs, now }: KeeperMeans, state: ServingSecret): Promise<SharedCertificate> {
  const signer = state.authorities.find(({ id }) => id === state.signer);
  if (!signer) throw new Error("the authority that signs is not in the Secret");
  const at = now();
  const notBefore = at - Math.min(BACKDATE_MS, leafMs / 4);
  const window = { notBefore, notAfter: Math.min(notBefore + leafMs, signer.notAfter) };
  const leaf = await signLeaf(signer, names, window);
  return {
    certificate: `${leaf.certificate}\n${signer.certificate}`,
    key: leaf.key,
    authority: bundleText(state),
    notAfter: window.notAfter,
    renewAt: at + (window.notAfter - at) / 2,
    signer: signer.id,
  };
}
