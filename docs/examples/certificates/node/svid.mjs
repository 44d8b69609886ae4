import { readFileSync, watch } from "node:fs";
import { dirname } from "node:path";
import { env } from "node:process";

const { SIGNET_SVID_BUNDLE: svidFile, SIGNET_TRUST_BUNDLE: trustFile } = env;

/** Key, chain and trusted roots as they are on disk now: options for node:tls, node:https and whatever stands on them. */
export function svid() {
  // Private key and chain lie in one file, so that no reader ever takes one without the other.
  const bundle = readFileSync(svidFile);
  return { key: bundle, cert: bundle, ca: readFileSync(trustFile), minVersion: "TLSv1.3" };
}

/** Calls back when kubelet has replaced one of the two: it renames the link `..data` beside it. */
export function onRotation(changed) {
  for (const folder of [dirname(svidFile), dirname(trustFile)])
    watch(folder, (_event, name) => {
      if (name === "..data") changed();
    });
}

/** The SPIFFE ID of a certificate that was verified; undefined unless it has exactly one URI name (X509-SVID §2). */
export function spiffeIdOf(certificate) {
  const names = certificate?.subjectAltName?.split(", ") ?? [];
  const ids = names.filter((name) => name.startsWith("URI:")).map((name) => name.slice(4));
  return ids.length === 1 ? ids[0] : undefined;
}
