import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { type Raw, rawAt } from "./read-object.ts";

const text = Type.String({ maxLength: 512 });
const moment = Type.Optional(text);
const STATE = Type.Enum(["prepared", "published", "active", "tainted", "revoked"]);

const STATUS = Type.Object({
  trustDomain: text,
  sequence: Type.Integer(),
  paused: Type.Boolean(),
  /** Whether roots are made here; where not, whoever keeps one offline brings each next authority. */
  ownRoots: Type.Boolean(),
  /** Seconds that readers get to have a root, and within which after a taint whoever renews in time has renewed. */
  pace: Type.Object({ settleSeconds: Type.Integer(), renewedSeconds: Type.Integer() }),
  /** Where the rotation stands as a whole, since when, what comes next, and when at the earliest. */
  rotation: Type.Object({ stage: text, since: moment, next: text, at: moment }),
  authorities: Type.Array(
    Type.Object({
      id: text,
      root: text,
      state: STATE,
      since: text,
      notAfter: text,
      offline: Type.Boolean(),
      /** Since when its key counts as stolen. */
      compromised: moment,
      waits: text,
      at: moment,
    }),
  ),
});

/** What is shown of authorities, without any key: `waits` says in words what the next step of each waits for. */
export type AuthorityStatus = Static<typeof STATUS>;

/** What is shown of one. */
export type ShownAuthority = AuthorityStatus["authorities"][number];

const checker = Compile(STATUS);

/** Reads a status that a server wrote. */
export function readAuthorityStatus(json: string): Result<AuthorityStatus> {
  try {
    const value: unknown = JSON.parse(json);
    if (checker.Check(value)) return ok(value);
  } catch {
    // Falls through.
  }
  return refuse("AUTHORITIES_UNREADABLE", "", "The status of the authorities cannot be read.", "Is it this version's?");
}

/** Reads the status that a cluster's TrustDomain shows; refuses with AUTHORITIES_UNREADABLE where there is none yet. */
export function readTrustDomainStatus(object: Raw): Result<AuthorityStatus> {
  const status = rawAt(object, "status");
  const { paused, ownRoots = true, settleSeconds, renewedSeconds, ...rotation } = rawAt(status, "rotation") ?? {};
  const authorities = status?.["authorities"];
  const value: unknown = {
    trustDomain: rawAt(object, "spec")?.["domain"],
    sequence: rawAt(status, "bundle")?.["sequence"],
    paused,
    ownRoots,
    pace: { settleSeconds, renewedSeconds },
    rotation,
    authorities: Array.isArray(authorities)
      ? authorities.map((each: object) => ({ offline: false, ...each }))
      : undefined,
  };
  if (checker.Check(value)) return ok(value);
  return refuse(
    "AUTHORITIES_UNREADABLE",
    "",
    "The TrustDomain local does not say where its authorities stand.",
    "Wait for a replica to write its status, or look at their logs.",
  );
}

/** The status as JSON. */
export const renderAuthorityStatus = (status: AuthorityStatus): string => `${JSON.stringify(status)}\n`;
