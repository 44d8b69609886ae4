// node client.mjs URL SERVER [SECONDS]: calls URL again and again, and talks to no one but the workload SERVER.
import { X509Certificate } from "node:crypto";
import { get } from "node:https";
import { argv } from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { onRotation, spiffeIdOf, svid } from "./svid.mjs";

const [, , url, expected, seconds = "1"] = argv;

let own = svid();
onRotation(() => {
  own = svid();
});

/** Called only when the chain is good. The host name is no matter: addresses move, names of workloads stay. */
function checkServerIdentity(_host, { raw }) {
  const id = spiffeIdOf(new X509Certificate(raw));
  return id === expected ? undefined : new Error(`the server is ${id}`);
}

const call = () =>
  new Promise((resolve) => {
    get(url, { ...own, checkServerIdentity }, (response) => {
      response.setEncoding("utf8").toArray().then((parts) => resolve(parts.join("").trimEnd()), resolve);
    }).on("error", resolve);
  });

for (;;) {
  console.log(String(await call()));
  await pause(Number(seconds) * 1000);
}
