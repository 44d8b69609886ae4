import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";

/**
 * The floor: the least that a webhook of this kind can do. A bare node:https server that parses the same body and answers
 * the same patch. Arguments: the PEM file of certificate and key, the file of the patch in base64, and where it is to leave the
 * first review of each kind, the folder for them.
 */
const [, , pemFile = "", patchFile = "", folder = ""] = process.argv;
const pem = readFileSync(pemFile, "utf8");
const patch = readFileSync(patchFile, "utf8").trim();
const unseen = new Set(folder === "" ? [] : ["mutate", "validate"]);

type Asked = { readonly request: { readonly uid: string } };

const server = createServer({ cert: pem, key: pem, keepAliveTimeout: 120_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const text = Buffer.concat(chunks).toString();
    const { uid } = (JSON.parse(text) as Asked).request;
    const mutates = request.url?.startsWith("/mutate") ?? false;
    if (unseen.size > 0) leave(mutates ? "mutate" : "validate", text);
    const answer = mutates ? { uid, allowed: true, patchType: "JSONPatch", patch } : { uid, allowed: true };
    const body = JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: answer });
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
});

function leave(kind: string, review: string): void {
  if (unseen.delete(kind)) writeFileSync(join(folder, kind), review);
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`port ${typeof address === "object" ? address?.port : 0}\n`);
});
process.on("SIGTERM", () => process.exit(0));
