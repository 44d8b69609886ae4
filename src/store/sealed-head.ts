import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Instant } from "../domain/instant.ts";
import { type Head, NO_HASH } from "./chain.ts";

/**
 * How far a ledger had come, signed: what a file cannot tell of itself is that its end was cut off. It lies beside the ledger,
 * and a copy of it may be kept anywhere.
 */
export type SealedHead = Head & {
  /** When the record at the head was made. */
  readonly at: Instant;
  /** The key that verifies it: Ed25519, SPKI in base64. The start of its chain names the same. */
  readonly key: string;
  readonly signature: string;
};

/** The head of a ledger without records. */
export const NOTHING: Head = { chain: 0, seq: -1, hash: NO_HASH };

/** Where the head of a ledger lies, and where the key that signs it does. */
export const headPath = (ledger: string): string => `${ledger}.head`;
const keyPath = (ledger: string): string => join(dirname(ledger), "head-key.pem");

/** Signs heads of one ledger with the key beside it. */
export class Sealer {
  readonly #path: string;
  readonly #key: KeyObject;
  readonly key: string;

  /** Makes the key where there is none. Throws, with what to do, where there is one that cannot be read. */
  constructor(ledger: string) {
    this.#path = headPath(ledger);
    this.#key = keyOf(keyPath(ledger));
    this.key = createPublicKey(this.#key).export({ type: "spki", format: "der" }).toString("base64");
  }

  /** Writes the signed head; when it returns, the disk has it, and after a crash at any instant has it or the one before. */
  seal(head: Head, at: Instant): void {
    const { chain, seq, hash } = head;
    const signature = sign(null, Buffer.from(signedText(head, at)), this.#key).toString("base64");
    const sealed: SealedHead = { chain, seq, hash, at, key: this.key, signature };
    writeDurably(this.#path, `${JSON.stringify(sealed)}\n`);
  }
}

const signedText = ({ chain, seq, hash }: Head, at: Instant): string =>
  `signet ledger head\n${chain}/${seq} ${hash}\n${at}\n`;

function keyOf(path: string): KeyObject {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    writeDurably(path, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  }
  try {
    const key = createPrivateKey(readFileSync(path, "utf8"));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // What to do is the same as for a key of another kind.
  }
  throw new Error(
    `${path} is not the key that signs the ledger's heads; put it back from a backup, or move it away and a new key is made, which the next chain names`,
  );
}

function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** The head at a path; undefined where there is none, or none whose own key has signed it. */
export function readHead(path: string): SealedHead | undefined {
  try {
    return parseHead(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The head that a text holds; undefined where it holds none that its own key has signed. */
export function parseHead(text: string): SealedHead | undefined {
  try {
    const head = JSON.parse(text) as SealedHead;
    const key = createPublicKey({ key: Buffer.from(head.key, "base64"), type: "spki", format: "der" });
    const signed = verify(null, Buffer.from(signedText(head, head.at)), key, Buffer.from(head.signature, "base64"));
    return signed ? head : undefined;
  } catch {
    return undefined;
  }
}
