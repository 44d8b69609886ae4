import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./world.ts";

/** Whom openssl speaks for, and whom it believes; PEM texts. */
export type Holder = { readonly svid: string; readonly issuing: string; readonly roots: string };

/** What `openssl s_client` does with these; it verifies the server's chain and goes away where that fails. */
function client(port: number, { svid, issuing, roots }: Holder, ...more: readonly string[]) {
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const own = file("svid.pem", svid);
  const shown = ["-cert", own, "-key", own, "-cert_chain", file("issuing.pem", issuing)];
  const trusted = ["-CAfile", file("bundle.pem", roots), "-verify_return_error", "-verify", "2"];
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...shown, ...trusted, ...more]);
  onTestFinished(() => void child.kill("SIGKILL"));
  // A server that refuses us closes while we write.
  child.stdin.on("error", () => undefined);
  return child;
}

/** A connection that stays open, for one request after another. */
export class OpenConnection {
  readonly #child: ChildProcessWithoutNullStreams;
  #text = "";
  readonly #ended: Promise<unknown>;

  constructor(port: number, holder: Holder) {
    this.#child = client(port, holder, "-quiet");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
    });
    this.#ended = once(this.#child, "exit");
  }

  /** Sends the first half of a request: servers that are told to reload end connections between two requests. */
  begin(): void {
    this.#text = "";
    this.#child.stdin.write("GET / HTTP/1.1\r\nHost: ");
  }

  /** The answer to the request that was begun, its body's last line; "refused" where the server ends the connection instead. */
  async finish(): Promise<string> {
    this.#child.stdin.write("localhost\r\n\r\n");
    const answered = async (): Promise<string> => {
      while (!/\r\n\r\n[\s\S]*\n/.test(this.#text)) await once(this.#child.stdout, "data");
      return (
        this.#text
          .trimEnd()
          .split("\n")
          .filter((line) => /[a-z]/.test(line))
          .at(-1) ?? ""
      );
    };
    return Promise.race([answered(), this.#ended.then(() => "refused")]);
  }

  ask(): Promise<string> {
    this.begin();
    return this.finish();
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/** What a new connection is answered. */
export async function askOnce(port: number, holder: Holder): Promise<string> {
  const connection = new OpenConnection(port, holder);
  const said = await connection.ask();
  connection.close();
  return said;
}

/** The certificate that a server shows to a new connection. */
export async function shownBy(port: number, holder: Holder): Promise<X509Certificate | undefined> {
  const child = client(port, holder, "-showcerts");
  child.stdin.end();
  const text = (await child.stdout.setEncoding("utf8").toArray()).join("");
  const [leaf] = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(text) ?? [];
  return leaf === undefined ? undefined : new X509Certificate(leaf);
}
