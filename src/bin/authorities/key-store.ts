import { readFileSync } from "node:fs";
import process from "node:process";
import { type KeyStore, KeyUnavailable, VAULT_KEYS } from "../../ca/keys/key-store.ts";
import { pkcs11Keys } from "../../ca/keys/pkcs11/keys.ts";
import type { Log } from "../../http/services.ts";
import type { AuthoritiesConfig } from "../../wire/authorities-config.ts";
import type { Pkcs11Uri } from "../../wire/pkcs11-uri.ts";

/** Where keys of authorities are made and used: in the vault, or in the token that is configured. */
export const keyStoreOf = ({ key }: AuthoritiesConfig, log: Log): KeyStore =>
  key
    ? pkcs11Keys(key, {
        readPin: () => readPin(key),
        lost: (reason) => log.error({ reason }, "A key in the token could not be destroyed; it signs no more."),
      })
    : VAULT_KEYS;

/** The PIN of a token: from the file that the URI names, or from SIGNET_PIN. Throws KeyUnavailable; it is never logged. */
export function readPin({ pinFile }: Pkcs11Uri): string {
  try {
    const pin = pinFile === undefined ? process.env["SIGNET_PIN"] : readFileSync(pinFile, "utf8").trim();
    if (pin !== undefined && pin !== "") return pin;
  } catch {
    throw new KeyUnavailable(`the file of the PIN, ${pinFile}, cannot be read`);
  }
  throw new KeyUnavailable("there is no PIN: neither pin-source in the URI nor SIGNET_PIN");
}
