import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { AuthorityStatus, ShownAuthority } from "../../wire/authority-status.ts";

type Remove = "renewed" | "now";

/** What will happen to whom, and when, if the key of an authority is said to be in wrong hands now. */
export function compromisePlan(status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): string {
  const of: Case = { status, stolen, remove, now };
  const steps = [CONDEMNED, ...successor(of), ...removal(of)];
  const lines = steps.map(([when, what]) => `${when.padEnd(20)}  ${what}\n`);
  const breaks = [...breaking(of), ...staying(of)];
  return [
    `The key of authority ${stolen.id} (${stolen.state} since ${stolen.since}) is in wrong hands.\n\n`,
    ...lines,
    "\nWho breaks, until when:\n",
    ...breaks.map((line) => `- ${line}\n`),
  ].join("");
}

type Case = {
  readonly status: AuthorityStatus;
  readonly stolen: ShownAuthority;
  readonly remove: Remove;
  readonly now: Instant;
};

type Line = readonly [when: string, what: string];

const CONDEMNED: Line = [
  "at once",
  "Our doors exchange no certificate that it signed: whoever renews by one needs a token or a new invitation.",
];

const at = (instant: Instant): string => formatInstant(instant);
const minutes = (seconds: number): string => `${Math.ceil(seconds / 60)} min`;

const nextIn = ({ authorities }: AuthorityStatus): ShownAuthority | undefined =>
  authorities.find(({ state }) => state === "prepared" || state === "published");

/** Nothing that could sign in its place is there or made here: until somebody brings a chain, it signs on. */
const waitsForChain = ({ status, stolen: { state, offline } }: Case): boolean =>
  state === "active" && (offline || !status.ownRoots) && !nextIn(status);

/** Others below the same root, which keep it in the bundle. */
const besides = ({ status: { authorities }, stolen }: Case): readonly ShownAuthority[] =>
  authorities.filter(({ root, id, state }) => root === stolen.root && id !== stolen.id && state !== "revoked");

/** When another authority signs. */
function signsAt({ status, stolen, remove, now }: Case): Instant {
  if (stolen.state !== "active" || remove === "now") return now;
  const { authorities, pace } = status;
  const next = nextIn(status);
  const trusted = authorities.some(({ root, state }) => root === next?.root && ["active", "tainted"].includes(state));
  if (trusted) return now;
  const known = next?.state === "published" && next.at !== undefined ? Date.parse(next.at) : Number.NaN;
  return Number.isNaN(known) ? now + pace.settleSeconds * 1000 : Math.max(now, known);
}

const OVER = "The stolen key signs nothing more for us, and is destroyed here.";

function successor(of: Case): readonly Line[] {
  const { status, stolen, remove } = of;
  if (stolen.state !== "active") return [];
  const wait =
    remove === "now"
      ? ""
      : `: at once below a root that readers have, ${minutes(status.pace.settleSeconds)} later below another`;
  if (waitsForChain(of))
    return [
      [
        "when you bring it",
        "A chain from the offline root: `signet ca csr`, `sign`, `import`. Until then it signs on, and its root stays in the bundle.",
      ],
      ["then", `The new authority signs${wait}. ${OVER}`],
    ];
  const made: Line = [
    "at once",
    nextIn(status) ? "The next authority is there already." : "Another authority is made, its root published.",
  ];
  return [made, [remove === "now" ? "at once" : at(signsAt(of)), `The new authority signs. ${OVER}`]];
}

const LEAVES = "from then on nobody who has the bundle believes what the key signs.";

function removal(of: Case): readonly Line[] {
  const { status, stolen, remove } = of;
  if (stolen.state === "prepared" || stolen.state === "published")
    return [["at once", "It is withdrawn; it never signed anything for us."]];
  if (stolen.state === "revoked") return [];
  if (waitsForChain(of)) {
    const when = remove === "now" ? "then" : `${minutes(status.pace.renewedSeconds)} after that`;
    const which = stolen.offline ? "If the new authority is below another root, this one" : "Its root";
    return [[when, `${which} leaves the bundle: ${LEAVES}`]];
  }
  const when = remove === "now" ? "at once" : at(removedAt(of));
  if (besides(of).length > 0) return [[when, "It is revoked, but its root stays in the bundle."]];
  return [[when, `Its root leaves the bundle: ${LEAVES}`]];
}

const removedAt = (of: Case): Instant => {
  const { status, stolen, now } = of;
  const tainted = stolen.state === "tainted" ? Date.parse(stolen.since) : signsAt(of);
  return Math.max(now, Math.min(tainted + status.pace.renewedSeconds * 1000, Date.parse(stolen.notAfter)));
};

const FORGED = "until then whoever verifies by the bundle alone takes a forged certificate for a true one";

/** Its key is gone then, and nothing else can sign its list. */
const UNLISTED =
  "every holder of a certificate by it, where revocation lists are checked: from when the new authority signs, for `/v1/crl` has no list of it any more, until it has another certificate";

function breaking(of: Case): readonly string[] {
  const { status, stolen, remove, now } = of;
  if (!["active", "tainted"].includes(stolen.state)) return ["nobody: nothing that it signed is in use"];
  const invited = "until they are invited anew (`signet svid invite`)";
  const renewing = `machines and functions that renew by certificate: from half of their certificate's life on, ${invited}`;
  if (besides(of).length > 0) return [renewing, UNLISTED];
  const waits = waitsForChain(of);
  const after = `${minutes(status.pace.renewedSeconds)} after the new authority signs`;
  if (remove === "now")
    return [
      `every holder of a certificate by it, wherever a verifier has the bundle without its root: until it has another certificate; who renews in time has one ${waits ? after : `by ${at(now + status.pace.renewedSeconds * 1000)}`}`,
      "every verifier that lacks the new root, towards new certificates: Pods get the bundle within 6 minutes, others when they read it again",
      `machines and functions that renew by certificate: ${invited}`,
    ];
  return [
    renewing,
    UNLISTED,
    `whoever has not renewed ${waits ? after : `at ${at(removedAt(of))}`}: until it has another certificate`,
    `nobody else; but ${FORGED} (${endedBy(of)})`,
  ];
}

const endedBy = (of: Case): string => {
  if (!waitsForChain(of)) return "`--remove now` ends that";
  return `a chain${of.stolen.offline ? " below another root" : ""} and \`--remove now\` end that`;
};

/** A root that stands above another authority stays: then only the end of the stolen key's own certificate ends it. */
function staying(of: Case): readonly string[] {
  const { stolen } = of;
  const believed = `who verifies by it alone believes the key until ${stolen.notAfter}; to end that sooner, certify the next authority by another root`;
  const also = besides(of);
  if (also.length > 0)
    return [
      `its root stands above authority ${also.map(({ id }) => id).join(", ")} too and stays in the bundle: ${believed}`,
    ];
  return waitsForChain(of) && stolen.offline
    ? [`below the same root nothing is gained: it stays in the bundle, and ${believed}`]
    : [];
}
