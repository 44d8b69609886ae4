/** One part of `npm test`: its name, what it runs, how long it may take, and what the machine must have for it. */
export type Part = {
  readonly name: string;
  readonly about: string;
  /** Seconds after which the part is ended and counts as failed. */
  readonly ceiling: number;
  /** Runs these npm scripts, one counted test each… */
  readonly scripts?: readonly string[];
  /** …or the test files below these folders. */
  readonly folders?: readonly string[];
  /** Commands that must be there. */
  readonly commands?: readonly string[];
  /** A command line that makes what the part needs (binaries built once into a cache), and its own ceiling in seconds. */
  readonly prepare?: { readonly command: readonly string[]; readonly ceiling: number };
  /** Runs only when asked for by name, and in CI. */
  readonly onRequest?: true;
};

/** Folders of tests that need more than Node; all others are unit tests. */
export const SPECIAL_FOLDERS = ["api", "cluster", "image", "node", "host", "clients", "browser", "slow"] as const;

/** The parts of `npm test`, in their order. */
export const PARTS: readonly Part[] = [
  {
    name: "check",
    about: "types, lint, format, dead code",
    ceiling: 120,
    scripts: ["check:types", "check:lint", "check:format", "check:dead"],
  },
  {
    name: "unit",
    about: "everything that needs only Node",
    ceiling: 60,
    folders: ["test"],
    commands: ["openssl", "bash"],
  },
  {
    name: "browser",
    about: "pages, in a headless Chromium",
    ceiling: 120,
    folders: ["test/browser"],
    commands: ["chromium"],
  },
];
