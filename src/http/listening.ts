import { constants } from "node:crypto";
import type { Server } from "node:net";

/** A certificate chain and its key, both PEM. */
export type ServingPair = { readonly certificate: string; readonly key: string };

/** How TLS is spoken at every door of ours. */
export const secureOptions = ({ certificate, key }: ServingPair) => ({
  cert: certificate,
  key,
  minVersion: "TLSv1.2" as const,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
});

/** Starts to listen; gives the port that was bound. */
export async function listenAt(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
