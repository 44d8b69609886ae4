import { bootCluster } from "./boot.ts";
const c = await bootCluster({ log: (l) => console.error(l) });
console.log(c.readyMs, c.url, c.stateDir);
console.log(await c.kubectl(["get", "ns,sa,cm", "-A"]));
const t = Date.now();
await c.stop();
console.log("stop", Date.now() - t);
