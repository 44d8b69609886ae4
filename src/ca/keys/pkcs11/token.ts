import type { Handle, PKCS11 } from "pkcs11js";
import type { Pkcs11Uri } from "../../../wire/pkcs11-uri.ts";
import { KeyUnavailable } from "../key-store.ts";
import { CK } from "./constants.ts";

/** A token that somebody is logged in to. */
export type Session = { readonly module: PKCS11; readonly handle: Handle };

/** Which token, and how its PIN is found; it is read at each login, and kept nowhere. */
export type TokenParts = { readonly uri: Pkcs11Uri; readonly readPin: () => string };

/**
 * One token behind a PKCS#11 library, used by one at a time. The library and the native binding are loaded when they are
 * first needed; a token that was away is opened anew. What fails is thrown as KeyUnavailable, with the return value's name.
 */
export class Token {
  readonly #parts: TokenParts;
  #module: PKCS11 | undefined;
  #session: Session | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** A PIN that the token refused is not shown again: a token locks itself after a few. */
  #refused: string | undefined;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  get label(): string {
    return this.#parts.uri.token;
  }

  /** Does something in the token; a second time where the first failed, for the token may have been away between. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      try {
        return await work(await this.#open());
      } catch (fault) {
        if (fault instanceof KeyUnavailable) throw fault;
        this.#drop();
        return await this.#again(work);
      }
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #again<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#open());
    } catch (fault) {
      this.#drop();
      throw fault instanceof KeyUnavailable ? fault : new KeyUnavailable(this.#words(fault));
    }
  }

  async #open(): Promise<Session> {
    if (this.#session) return this.#session;
    const module = (this.#module ??= await loadModule(this.#parts.uri));
    const slot = module.C_GetSlotList(true).find((each) => module.C_GetTokenInfo(each).label.trim() === this.label);
    if (!slot) throw new Error("there is no such token");
    const handle = module.C_OpenSession(slot, CK.sessionReadWrite);
    try {
      this.#login(module, handle);
    } catch (fault) {
      module.C_CloseSession(handle);
      throw fault;
    }
    this.#session = { module, handle };
    return this.#session;
  }

  #login(module: PKCS11, handle: Handle): void {
    const pin = this.#parts.readPin();
    if (pin === this.#refused) throw new KeyUnavailable(`token ${this.label} refused this PIN; it is not tried again`);
    try {
      module.C_Login(handle, CK.userNormal, pin);
    } catch (fault) {
      const name = nameOf(fault);
      if (name === "CKR_USER_ALREADY_LOGGED_IN") return;
      if (name.startsWith("CKR_PIN_")) {
        this.#refused = pin;
        throw new KeyUnavailable(this.#words(fault));
      }
      throw fault;
    }
  }

  /** Ends the session and the library's state: some see a token that came back only after they begin anew. */
  #drop(): void {
    this.#session = undefined;
    const module = this.#module;
    this.#module = undefined;
    try {
      module?.C_Finalize();
      module?.close();
    } catch {
      // It was gone already.
    }
  }

  #words(fault: unknown): string {
    return `token ${this.label}: ${nameOf(fault)}`;
  }
}

/** `CKR_…`, or what a fault says; neither holds a PIN. */
const nameOf = (fault: unknown): string => (fault instanceof Error ? fault.message : "unknown");

async function loadModule({ modulePath }: Pkcs11Uri): Promise<PKCS11> {
  if (modulePath === undefined) throw new KeyUnavailable("the PKCS#11 URI has no module-path");
  const module = await newModule();
  try {
    module.load(modulePath);
    module.C_Initialize();
    return module;
  } catch (fault) {
    if (nameOf(fault) === "CKR_CRYPTOKI_ALREADY_INITIALIZED") return module;
    throw new KeyUnavailable(`the PKCS#11 library ${modulePath}: ${nameOf(fault)}`);
  }
}

/** An optional dependency: it is compiled where it is installed, and missing where it could not be. */
async function newModule(): Promise<PKCS11> {
  try {
    const { PKCS11 } = await import("pkcs11js");
    return new PKCS11();
  } catch {
    throw new KeyUnavailable("the binding to PKCS#11 is not installed: `npm install pkcs11js` needs a C++ compiler");
  }
}
