import type { Instant } from "../domain/instant.ts";
import type { Result } from "../domain/problem.ts";
import type { OpenFlows } from "./flows.ts";
import type { GrantKeeper } from "./grants.ts";
import type { OpenCopies, OpenLedger } from "./ledger.ts";

/** One text file of the input; `name` is its path as the user would write it, `-` for standard input. */
export type TextFile = { readonly name: string; readonly text: string };

/** What a command may ask of the world around it; bin/ provides it, tests hand in a fake. */
export type Io = {
  /** Writes to standard output. */
  readonly out: (text: string) => void;
  /** Writes to standard error. */
  readonly err: (text: string) => void;
  /** Whether standard output is a terminal that shows colours. */
  readonly color: boolean;
  readonly now: () => Instant;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * The YAML and JSON files at the paths: a file as it is, every `.yaml`, `.yml` and `.json` below a folder in order of
   * name, `-` for standard input. Refuses with FILE_UNREADABLE.
   */
  readonly readInputs: (paths: readonly string[]) => Result<readonly TextFile[]>;
  /** Opens the ledger of a server's state folder. */
  readonly openLedger?: OpenLedger;
  readonly openCopies?: OpenCopies;
  /** Opens the flows that were imported into a state folder. */
  readonly openFlows?: OpenFlows;
  /** Writes a file anew; its folder must be there. */
  readonly writeFile: (path: string, text: string) => Result<undefined>;
  /** Writes a file that is not there yet, and the folders above it; refuses to overwrite. */
  readonly writeNew?: (path: string, text: string) => Result<undefined>;
  /** Signs and verifies grants. */
  readonly grants?: GrantKeeper;
};

/**
 * 0: done, all admitted, equal. 1: a comparison found a difference. 2: bad input. 3: something was refused or found.
 * The same meanings for every command.
 */
export type ExitCode = 0 | 1 | 2 | 3;
