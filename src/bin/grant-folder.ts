import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { readGrantKeys } from "../ca/grants/grant-key.ts";
import { verifyGrant } from "../ca/grants/sign-grant.ts";
import { ok, type Problem, problemLine, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { keepLooking, type Pace } from "../folder/keep-looking.ts";
import { isSameTrace, traceFolder, type Traces } from "../folder/trace.ts";
import type { Check, Log } from "../http/services.ts";
import type { GrantConfig } from "../wire/grant-config.ts";
import { type GrantSet, readGrants, type VerifiedGrant } from "../wire/grant.ts";

/** A folder of signed grants that is watched until it is closed. */
export type GrantFolder = {
  readonly current: () => GrantSet;
  /** What readiness says of it; a grant that counts for nothing makes nobody unready. */
  readonly check: () => Check;
  /** Calls this after each change of what is granted. */
  readonly onChange: (changed: () => void) => void;
  readonly close: () => void;
};

type Parts = { readonly log: Log; readonly pace?: Pace };

const GRANT = /\.jws$/;
/** Most grants that are read, and the most bytes of one: each costs a verification. */
const MOST = { grants: 1000, bytes: 64 * 1024 };

/**
 * Reads a folder of grants, and again whenever it or the keys change. A grant that is not trusted grants nothing, and takes
 * nothing away from the others. Where folder or keys cannot be read the last good state stays; at the start it refuses. Nothing is watched where nothing is configured.
 */
export async function watchGrants(
  config: GrantConfig | undefined,
  parts: Parts,
): Promise<Result<GrantFolder | undefined>> {
  if (!config) return ok(undefined);
  const reader = new GrantReader(config, parts);
  const first = await reader.look();
  if (!first.ok) return first;
  const close = keepLooking(config.folder, async () => void (await reader.look()), parts.pace);
  return ok({
    current: () => reader.set,
    check: () => reader.check(),
    onChange: (changed) => {
      reader.changed = changed;
    },
    close,
  });
}

/** Readiness's words on grants, where any are configured. */
export const grantChecks = (grants: GrantFolder | undefined): readonly Check[] => (grants ? [grants.check()] : []);

/** What was read, before any of it is verified. */
type Read = { readonly traces: Traces; readonly keys: string };

class GrantReader {
  readonly #config: GrantConfig;
  readonly #parts: Parts;
  #seen: Read | undefined;
  #problems: readonly Problem[] = [];
  #busy: Promise<Result<undefined>> | undefined;
  set: GrantSet;
  changed: () => void = () => undefined;

  constructor(config: GrantConfig, parts: Parts) {
    this.#config = config;
    this.#parts = parts;
    this.set = readGrants([], config.required).set;
  }

  look(): Promise<Result<undefined>> {
    this.#busy ??= this.#look().finally(() => {
      this.#busy = undefined;
    });
    return this.#busy;
  }

  check(): Check {
    const [first] = this.#problems;
    const wrong = first ? `warning: ${this.#problems.length} problems, first: ${problemLine(first)}; ` : "";
    return { name: "grants", ok: true, detail: `${wrong}${this.set.exceptions.length} count` };
  }

  async #look(): Promise<Result<undefined>> {
    const read = this.#read();
    if (!read.ok) return this.#fail(read.problems);
    const { traces, keys } = read.value;
    if (this.#seen?.keys === keys && isSameTrace(this.#seen.traces, traces)) return ok(undefined);
    const trusted = await readGrantKeys(keys);
    if (!trusted.ok) return this.#fail(trusted.problems.map((found) => ({ ...found, path: this.#config.keys })));
    const verified = await Promise.all(filesOf(traces).map((path) => verifyFile(path, trusted.value)));
    const { set, problems } = readGrants(
      verified.flatMap((each) => (each.ok ? [each.value] : [])),
      this.#config.required,
    );
    this.#seen = read.value;
    this.#take(set, [...excess(traces), ...verified.flatMap((each) => (each.ok ? [] : each.problems)), ...problems]);
    return ok(undefined);
  }

  #read(): Result<Read> {
    const { folder, keys } = this.#config;
    try {
      return ok({ traces: traceFolder(folder, GRANT), keys: readFileSync(keys, "utf8") });
    } catch (fault) {
      const reason = fault instanceof Error ? fault.message : String(fault);
      return refuse("FILE_UNREADABLE", "", `Grants could not be read (${reason}).`, "Check `grants` and permissions.");
    }
  }

  /** Said once, not at every look. */
  #fail(problems: readonly Problem[]): Result<undefined> {
    const said = this.#problems.map(problemLine).join() === problems.map(problemLine).join();
    this.#problems = problems;
    this.#seen = undefined;
    if (!said)
      this.#parts.log.warn({ problems: problems.map(problemLine) }, "Grants cannot be read; the last ones stay.");
    return refuseAll(problems);
  }

  #take(set: GrantSet, problems: readonly Problem[]): void {
    this.#problems = problems;
    const first = problems.slice(0, 5).map(problemLine);
    this.#parts.log.info({ grants: set.exceptions.length, problems: first }, "Signed grants were read.");
    if (set.text === this.set.text) return;
    this.set = set;
    this.changed();
  }
}

const filesOf = (traces: Traces): readonly string[] => [...traces.keys()].sort().slice(0, MOST.grants);

const excess = ({ size }: Traces): readonly Problem[] =>
  size <= MOST.grants
    ? []
    : [
        {
          code: "GRANT_UNREADABLE",
          path: "",
          message: `Of ${size} grants the first ${MOST.grants} by name are read.`,
          mend: "Take away those that have ended.",
        },
      ];

async function verifyFile(path: string, keys: Parameters<typeof verifyGrant>[1]): Promise<Result<VerifiedGrant>> {
  const file = basename(path);
  const text = textOf(path);
  const verified =
    text === undefined ? refuse("GRANT_UNREADABLE", file, NO_GRANT, SIGN) : await verifyGrant(text, keys);
  return verified.ok
    ? ok({ ...verified.value, file })
    : refuseAll(verified.problems.map((found) => ({ ...found, path: found.path || file })));
}

const NO_GRANT = `It cannot be read, or is larger than ${MOST.bytes / 1024} KiB.`;
const SIGN = "Have it signed anew with `signet exceptions grant`.";

function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return text.length <= MOST.bytes ? text : undefined;
  } catch {
    return undefined;
  }
}
