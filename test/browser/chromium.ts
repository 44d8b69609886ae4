import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

type Answer = { readonly result?: Record<string, unknown>; readonly error?: { readonly message: string } };
type Event = { readonly method: string; readonly params: Readonly<Record<string, unknown>> };
type Message = { readonly id?: number } & Answer & Partial<Event>;

/** One page in a headless Chromium, driven over a pipe by the DevTools protocol. */
export type Page = {
  /** The value of an expression in the page; a promise is awaited. */
  readonly evaluate: <T>(expression: string) => Promise<T>;
  /** Moves the pointer to the middle of the first element that the selector finds. */
  readonly hover: (selector: string) => Promise<void>;
  readonly moveTo: (x: number, y: number) => Promise<void>;
  readonly click: (selector: string) => Promise<void>;
  /** Replaces what a field holds, as typing would. */
  readonly type: (selector: string, text: string) => Promise<void>;
  readonly screenshot: () => Promise<Buffer>;
  /** Addresses that the page asked for, and what the browser complained of, since the page was opened. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** How the window is. */
export type Window = { readonly width: number; readonly height: number; readonly dark?: boolean };

/** Opens a file in a Chromium of its own. */
export async function openPage(file: string, window: Window = { width: 1280, height: 800 }): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), "signet-chromium-"));
  const browser = start(profile, window);
  const pipe = new DevTools(browser);
  const stop = async (): Promise<void> => {
    browser.kill("SIGKILL");
    await new Promise((resolve) =>
      browser.exitCode === null && browser.signalCode === null ? browser.once("exit", resolve) : resolve(0),
    );
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    return await attach(pipe, file, window, stop);
  } catch (fault) {
    await stop();
    throw fault;
  }
}

function start(profile: string, { width, height }: Window): ChildProcess {
  const flags = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    `--window-size=${width},${height}`,
    `--user-data-dir=${profile}`,
  ];
  return spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
}

async function attach(pipe: DevTools, file: string, window: Window, close: () => Promise<void>): Promise<Page> {
  const { targetId } = (await pipe.call("Target.createTarget", { url: "about:blank" })) as { targetId: string };
  const { sessionId } = (await pipe.call("Target.attachToTarget", { targetId, flatten: true })) as {
    sessionId: string;
  };
  const call = (method: string, params: object = {}) => pipe.call(method, params, sessionId);
  const [requests, complaints]: [string[], string[]] = [[], []];
  pipe.onEvent(({ method, params }) => note(method, params, requests, complaints));
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await call(`${domain}.enable`);
  await call("Emulation.setDeviceMetricsOverride", {
    width: window.width,
    height: window.height,
    deviceScaleFactor: 1,
    mobile: false,
  });
  await call("Emulation.setEmulatedMedia", {
    features: [{ name: "prefers-color-scheme", value: window.dark ? "dark" : "light" }],
  });
  const loaded = pipe.next("Page.loadEventFired");
  await call("Page.navigate", { url: pathToFileURL(file).href });
  await loaded;
  return { ...handsOf(call), requests, complaints, close };
}

function note(method: string, params: Event["params"], requests: string[], complaints: string[]): void {
  if (method === "Network.requestWillBeSent") requests.push((params["request"] as { url: string }).url);
  if (method === "Log.entryAdded") complaints.push((params["entry"] as { text: string }).text);
  if (method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params["exceptionDetails"]));
}

type Call = (method: string, params?: object) => Promise<Record<string, unknown>>;

function handsOf(call: Call): Omit<Page, "requests" | "complaints" | "close"> {
  const evaluate = async <T>(expression: string): Promise<T> => {
    const answer = (await call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })) as {
      readonly result: { readonly value: T };
      readonly exceptionDetails?: object;
    };
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  const middle = (selector: string) =>
    evaluate<{ x: number; y: number }>(
      `(() => { const found = document.querySelector(${JSON.stringify(selector)}); found.scrollIntoView({ block: "center" }); const box = found.getBoundingClientRect(); return { x: box.x + box.width / 2, y: box.y + box.height / 2 }; })()`,
    );
  const mouse = (type: string, x: number, y: number, more: object = {}) =>
    call("Input.dispatchMouseEvent", { type, x, y, ...more });
  const moveTo = async (x: number, y: number): Promise<void> => void (await mouse("mouseMoved", x, y));
  return {
    evaluate,
    moveTo,
    hover: async (selector) => {
      const { x, y } = await middle(selector);
      await moveTo(x, y);
    },
    click: async (selector) => {
      const { x, y } = await middle(selector);
      await moveTo(x, y);
      for (const type of ["mousePressed", "mouseReleased"]) await mouse(type, x, y, { button: "left", clickCount: 1 });
    },
    type: async (selector, text) => {
      await evaluate(`document.querySelector(${JSON.stringify(selector)}).select()`);
      await evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
      await call("Input.insertText", { text });
    },
    screenshot: async () =>
      Buffer.from(String((await call("Page.captureScreenshot", { format: "png" }))["data"]), "base64"),
  };
}

/** Messages over the two extra pipes of the process, each ended by a zero byte. */
class DevTools {
  readonly #out: Writable;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #listeners: ((event: Event) => void)[] = [];
  #rest = "";
  #last = 0;

  constructor(browser: ChildProcess) {
    this.#out = browser.stdio[3] as Writable;
    const into = browser.stdio[4] as Readable;
    into.setEncoding("utf8");
    into.on("data", (chunk: string) => this.#take(chunk));
    browser.once("exit", () => {
      for (const tell of this.#waiting.values()) tell({ error: { message: "Chromium ended." } });
    });
  }

  call(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result ?? {}),
      );
      this.#out.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    });
  }

  onEvent(listener: (event: Event) => void): void {
    this.#listeners.push(listener);
  }

  next(method: string): Promise<void> {
    return new Promise((resolve) => this.onEvent((event) => event.method === method && resolve()));
  }

  #take(chunk: string): void {
    const parts = `${this.#rest}${chunk}`.split("\0");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      else if (message.method !== undefined)
        for (const listener of this.#listeners) listener({ method: message.method, params: message.params ?? {} });
    }
  }
}
