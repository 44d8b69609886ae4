import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";

const text = Type.String({ maxLength: 512 });
const STATUS = Type.Object({
  trustDomain: text,
  sequence: Type.Integer(),
  paused: Type.Boolean(),
  authorities: Type.Array(
    Type.Object({
      id: text,
      state: Type.Enum(["prepared", "published", "active", "tainted", "revoked"]),
      since: text,
      notAfter: text,
      waits: text,
    }),
  ),
});

/** What is shown of authorities, without any key: `waits` says in words what the next step of each waits for. */
export type AuthorityStatus = Static<typeof STATUS>;

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

/** What a status is made of. */
type Shown = {
  readonly trustDomain: string;
  readonly set: {
    readonly authorities: readonly {
      readonly id: string;
      readonly state: AuthorityStatus["authorities"][number]["state"];
      readonly since: Instant;
      readonly publishedAt?: Instant;
      readonly window: { readonly notBefore: Instant; readonly notAfter: Instant };
    }[];
    readonly sequence: number;
    readonly paused: boolean;
  };
  readonly pace: {
    readonly settleMs: number;
    readonly longestLeafMs: number;
    readonly marginMs: number;
    readonly share: number;
  };
};

/** The status as JSON. */
export const renderAuthorityStatus = ({ trustDomain, set, pace }: Shown): string =>
  `${JSON.stringify({
    trustDomain,
    sequence: set.sequence,
    paused: set.paused,
    authorities: set.authorities.map((each) => ({
      id: each.id,
      state: each.state,
      since: formatInstant(each.since),
      notAfter: formatInstant(each.window.notAfter),
      waits: waitsFor(each, pace),
    })),
  } satisfies AuthorityStatus)}\n`;

/** What comes next for an authority, and when at the earliest. */
function waitsFor(authority: Shown["set"]["authorities"][number], pace: Shown["pace"]): string {
  const { state, since, publishedAt, window } = authority;
  switch (state) {
    case "prepared":
      return "its root is put into the bundle";
    case "published":
      return publishedAt === undefined
        ? "every place of publication has its root"
        : `readers have its root: it signs from ${formatInstant(publishedAt + pace.settleMs)} on, if nobody lacks it`;
    case "active":
      return `its successor is prepared at ${formatInstant(window.notBefore + (window.notAfter - window.notBefore) * pace.share)}`;
    case "tainted":
      return `what it signed has ended: its root leaves the bundle at ${formatInstant(Math.min(since + pace.longestLeafMs + pace.marginMs, Math.max(since, window.notAfter)))}`;
    case "revoked":
      return `it is forgotten at ${formatInstant(since + pace.marginMs)}`;
  }
}
