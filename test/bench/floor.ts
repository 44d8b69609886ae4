import { readFileSync } from "node:fs";
import { createServer } from "node:https";

/**
 * The floor: the least that a webhook of this kind can do. A bare node:https server that parses the same body and answers
 * the same patch. Arguments: the PEM file of certificate and key, the file of the patch in base64.
 */
const [, , pemFile = "", patchFile = ""] = process.argv;
const pem = readFileSync(pemFile, "utf8");
const patch = readFileSync(patchFile, "utf8").trim();

type Asked = { readonly request: { readonly uid: string } };

const server = createServer({ cert: pem, key: pem, keepAliveTimeout: 120_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { uid } = (JSON.parse(Buffer.concat(chunks).toString()) as Asked).request;
    const mutates = request.url?.startsWith("/mutate") ?? false;
    const answer = mutates ? { uid, allowed: true, patchType: "JSONPatch", patch } : { uid, allowed: true };
    const body = JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: answer });
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`port ${typeof address === "object" ? address?.port : 0}\n`);
});
process.on("SIGTERM", () => process.exit(0));
