import type { Static } from "typebox";
import { fields, setOf, text } from "./kinds/fields.ts";

/** Who may call the webhooks, in the server's configuration. */
export const CLIENTS_CONFIG = fields("Who may call the webhooks; left out: everybody who can reach them.", {
  ca: text("Path of the authority, PEM, whose client certificates count.", 4096),
  names: setOf("Common names that count.", text("A common name.", 253), 32, { minItems: 1 }),
});

/** Path of the authority, and the common names that count. */
export type ClientsConfig = { readonly ca: string; readonly names: readonly string[] };

/** How an API server calls itself, where nobody says otherwise. */
const API_SERVER = "kube-apiserver";

/** The configuration, with the flag's authority over the file's; nothing where neither names one. */
export function clientsConfig(
  written: Static<typeof CLIENTS_CONFIG> | undefined,
  flag: string | undefined,
): { readonly clients?: ClientsConfig } {
  const ca = flag ?? written?.ca;
  return ca === undefined ? {} : { clients: { ca, names: written?.names ?? [API_SERVER] } };
}
