import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The volumes by which a Pod gets its certificate, and the file in each. */
const FILES = { svid: "svid.pem", trust: "bundle.pem" } as const;

/** The volume whose files are replaced. */
export type Volume = keyof typeof FILES;

/**
 * A Pod's two volumes, kept as kubelet keeps them (its AtomicWriter): a new folder each time, the link `..data` renamed onto
 * it, the old folder removed; the file itself is a link through `..data`.
 */
export class Mounted {
  readonly folder: string;
  /** The variables that Signet gives the Pod's containers. */
  readonly env: Readonly<Record<string, string>>;
  readonly #owner: number | undefined;
  #writes = 0;
  readonly #current = new Map<Volume, string>();

  /** `owner` is the user whom kubelet would give the key to; else everybody may read it. */
  constructor(folder: string, owner?: number) {
    this.folder = folder;
    this.#owner = owner;
    if (owner !== undefined) chmodSync(dirname(folder), 0o711);
    for (const [volume, file] of Object.entries(FILES)) {
      mkdirSync(join(folder, volume), { recursive: true });
      symlinkSync(join("..data", file), join(folder, volume, file));
    }
    this.env = {
      SIGNET_SVID_BUNDLE: this.path("svid"),
      SIGNET_TRUST_BUNDLE: this.path("trust"),
      SPIFFE_TRUST_DOMAIN: "example.org",
    };
  }

  path(volume: Volume): string {
    return join(this.folder, volume, FILES[volume]);
  }

  /** Replaces a volume's file. */
  write(volume: Volume, text: string): void {
    const at = join(this.folder, volume);
    const version = `..version_${(this.#writes += 1)}`;
    mkdirSync(join(at, version));
    this.#writeFile(join(at, version, FILES[volume]), text, volume);
    symlinkSync(version, join(at, "..data_tmp"));
    renameSync(join(at, "..data_tmp"), join(at, "..data"));
    const before = this.#current.get(volume);
    if (before !== undefined) rmSync(join(at, before), { recursive: true });
    this.#current.set(volume, version);
  }

  #writeFile(path: string, text: string, volume: Volume): void {
    writeFileSync(path, text);
    if (volume === "trust" || this.#owner === undefined) return;
    chownSync(path, this.#owner, this.#owner);
    chmodSync(path, 0o400);
  }
}
