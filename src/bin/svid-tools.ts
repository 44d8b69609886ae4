import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readForeignBundle } from "../ca/foreign-bundle.ts";
import { invite } from "../ca/invitations.ts";
import { writeWhole } from "../ca/key-files.ts";
import { newRequest } from "../ca/new-request.ts";
import { toPem } from "../ca/pem.ts";
import { verifyToken } from "../ca/tokens/verify.ts";
import { verifySvid } from "../ca/verify-svid.ts";
import type { SvidAsking, SvidFetched, SvidShown, SvidTools } from "../cli/svid.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { postJson } from "../remote/post-json.ts";
import { textAt } from "../wire/read-object.ts";
import { invitationsIn } from "./issuing/standalone.ts";

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** What the commands under `signet svid` do their work with. */
export const svidTools: SvidTools = {
  invite: (state, whom, now) => invite(invitationsIn(state), whom, now),
  read,
  verify: async (pem, { bundle, trustDomain, now }) => {
    const [chain, roots] = [certificatesIn(pem), rootsIn(bundle, trustDomain)];
    if (!chain.ok) return chain;
    if (!roots.ok) return roots;
    const ders = chain.value.map(({ raw }) => raw);
    const verified = await verifySvid(ders, { trustDomain, roots: roots.value }, now);
    return verified.ok ? read(pem) : verified;
  },
  verifyToken: (token, { bundle, trustDomain, audience, now }) => {
    const read = readForeignBundle(bundle, trustDomain);
    if (!read.ok) return Promise.resolve(read);
    const keys = { x509: [], jwt: read.value.jwt };
    return verifyToken(token, { bundleOf: (domain) => (domain === trustDomain ? keys : undefined), audience, now });
  },
  fetch: fetchSvid,
  writeKey: (path, text) => {
    try {
      writeWhole(path, text, 0o600);
      return ok(undefined);
    } catch (fault) {
      return refuse("FILE_UNREADABLE", "", `"${path}" could not be written: ${String(fault)}`, "Check the folder.");
    }
  },
};

/** Of a bundle as it is published, or in PEM; DER. */
function rootsIn(bundle: string, trustDomain: string): Result<readonly Buffer[]> {
  if (!bundle.trimStart().startsWith("{")) {
    const found = certificatesIn(bundle);
    return found.ok ? ok(found.value.map(({ raw }) => raw)) : found;
  }
  const read = readForeignBundle(bundle, trustDomain);
  return read.ok ? ok(read.value.roots.map(({ der }) => der)) : read;
}

function certificatesIn(pem: string): Result<readonly X509Certificate[]> {
  try {
    const found = [...pem.matchAll(CERTIFICATES)].map(([text]) => new X509Certificate(text));
    if (found.length > 0) return ok(found);
  } catch {
    // Told below.
  }
  return refuse("SVID_INVALID", "", "There is no certificate that can be read.", "Hand in a PEM file.");
}

function read(pem: string): Result<SvidShown> {
  const found = certificatesIn(pem);
  if (!found.ok) return found;
  const [leaf] = found.value;
  return leaf ? ok(shown(leaf)) : refuse("SVID_INVALID", "", "There is no certificate.");
}

function shown({ subjectAltName = "", publicKey, serialNumber, validFrom, validTo }: X509Certificate): SvidShown {
  const names = subjectAltName.split(", ");
  const named = (form: string) => names.flatMap((name) => (name.startsWith(form) ? [name.slice(form.length)] : []));
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  return {
    spiffeId: named("URI:").join(", "),
    serial: serialNumber.toLowerCase(),
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
    keyType: `${publicKey.asymmetricKeyType} ${namedCurve ?? modulusLength ?? ""}`.trim(),
    dnsNames: named("DNS:"),
  };
}

async function fetchSvid({ server, credential, authority }: SvidAsking): Promise<Result<SvidFetched>> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const csr = toPem("CERTIFICATE REQUEST", newRequest(privateKey));
  const url = URL.canParse("/v1/svids", server) ? new URL("/v1/svids", server) : undefined;
  if (url?.protocol !== "https:")
    return refuse("USAGE", "", `"${server}" is not an https URL.`, "Write https://HOST:PORT.");
  const answer = await postJson({ url, credential, authority, body: { csr } });
  if (!answer.ok) return answer;
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const [certificates = "", bundle = "", spiffeId = ""] = ["certificates", "bundle", "spiffeId"].map((name) =>
    textAt(answer.value, name),
  );
  return ok({ credentials: `${key}${certificates}`, bundle, spiffeId });
}
