// nginx verifies chains and knows no names but those of DNS: this reads the SPIFFE ID out of the certificate it verified.

/** The elements of a DER sequence's contents, as [tag, contents]. */
function elements(der) {
  const found = [];
  for (let at = 0; at < der.length; ) {
    const tag = der[at];
    let length = der[at + 1];
    at += 2;
    if (length > 127) {
      const end = at + length - 128;
      for (length = 0; at < end; at++) length = length * 256 + der[at];
    }
    found.push([tag, der.slice(at, at + length)]);
    at += length;
  }
  return found;
}

const SUBJECT_ALT_NAME = "551d11"; // 2.5.29.17
const EXTENSIONS = 0xa3;
const URI = 0x86;

/** The names in the certificate's SubjectAltName (RFC 5280 §4.2.1.6), as [tag, contents]. */
function names(certificate) {
  const toBeSigned = elements(elements(certificate)[0][1])[0][1];
  const extensions = elements(toBeSigned).filter((element) => element[0] === EXTENSIONS)[0];
  const found = elements(elements(extensions[1])[0][1])
    .map((extension) => elements(extension[1]))
    .filter((parts) => parts[0][1].toString("hex") === SUBJECT_ALT_NAME)[0];
  return elements(elements(found[found.length - 1][1])[0][1]);
}

/** The one URI name of the caller's certificate; empty where there is none, or more than one (X509-SVID §2). */
function id(request) {
  const pem = request.variables.ssl_client_raw_cert;
  if (request.variables.ssl_client_verify !== "SUCCESS" || !pem) return "";
  const certificate = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const uris = names(certificate).filter((name) => name[0] === URI);
  return uris.length === 1 ? uris[0][1].toString() : "";
}

export default { id };
