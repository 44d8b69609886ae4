// node server.mjs PORT CALLER: serves HTTPS to the one workload whose SPIFFE ID is CALLER.
import { createServer } from "node:https";
import { argv } from "node:process";
import { onRotation, spiffeIdOf, svid } from "./svid.mjs";

const [, , port, caller] = argv;

// Node verifies the chain against the bundle before a request is read; who it is has to be asked here.
const server = createServer({ ...svid(), requestCert: true, rejectUnauthorized: true }, (request, response) => {
  const id = spiffeIdOf(request.socket.getPeerX509Certificate());
  if (id !== caller) return void response.writeHead(403).end(`not for ${id}\n`);
  response.end(`hello ${id}\n`);
});

// Only connections made from now on have the new certificate; those that are open go on.
onRotation(() => server.setSecureContext(svid()));
server.listen(Number(port));
