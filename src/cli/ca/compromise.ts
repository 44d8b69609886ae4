import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { AuthorityStatus, ShownAuthority } from "../../wire/authority-status.ts";

type Remove = "renewed" | "now";

/** What will happen to whom, and when, if the key of an authority is said to be in wrong hands now. */
export function compromisePlan(status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): string {
  const steps = [CONDEMNED, ...successor(status, stolen, remove, now), ...removal(status, stolen, remove, now)];
  const lines = steps.map(([when, what]) => `${when.padEnd(20)}  ${what}\n`);
  const breaks = [...breaking(status, stolen, remove, now), ...shared(status, stolen)];
  return [
    `The key of authority ${stolen.id} (${stolen.state} since ${stolen.since}) is in wrong hands.\n\n`,
    ...lines,
    "\nWho breaks, until when:\n",
    ...breaks.map((line) => `- ${line}\n`),
  ].join("");
}

type Line = readonly [when: string, what: string];

const CONDEMNED: Line = [
  "at once",
  "Our doors exchange no certificate that it signed: whoever renews by one needs a token or a new invitation.",
];

const at = (instant: Instant): string => formatInstant(instant);

/** When another authority signs. */
function signsAt(
  { authorities, pace }: AuthorityStatus,
  { state }: ShownAuthority,
  remove: Remove,
  now: Instant,
): Instant {
  if (state !== "active" || remove === "now") return now;
  const ready = authorities.find((each) => each.state === "published" && each.at !== undefined);
  const known = ready?.at === undefined ? Number.NaN : Date.parse(ready.at);
  return Number.isNaN(known) ? now + pace.settleSeconds * 1000 : Math.max(now, known);
}

function successor(status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): readonly Line[] {
  if (stolen.state !== "active") return [];
  const waiting = status.authorities.some(({ state }) => state === "prepared" || state === "published");
  if (stolen.offline && !waiting)
    return [
      [
        "when you bring it",
        "A chain from the offline root: `signet ca csr`, `sign`, `import`. Until then it signs on.",
      ],
    ];
  const made: Line = [
    "at once",
    waiting ? "The next authority is there already." : "Another authority is made, its root published.",
  ];
  const signs = remove === "now" ? "at once" : at(signsAt(status, stolen, remove, now));
  return [made, [signs, "The new authority signs. The stolen key signs nothing more for us, and is destroyed here."]];
}

function removal(status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): readonly Line[] {
  if (stolen.state === "prepared" || stolen.state === "published")
    return [["at once", "It is withdrawn; it never signed anything for us."]];
  if (stolen.state === "revoked") return [];
  const leaves = "Its root leaves the bundle: from then on nobody who has the bundle believes what the key signs.";
  return [[remove === "now" ? "at once" : at(removedAt(status, stolen, remove, now)), leaves]];
}

const removedAt = (status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): Instant => {
  const tainted = stolen.state === "tainted" ? Date.parse(stolen.since) : signsAt(status, stolen, remove, now);
  return Math.max(now, Math.min(tainted + status.pace.renewedSeconds * 1000, Date.parse(stolen.notAfter)));
};

function breaking(status: AuthorityStatus, stolen: ShownAuthority, remove: Remove, now: Instant): readonly string[] {
  if (!["active", "tainted"].includes(stolen.state)) return ["nobody: nothing that it signed is in use"];
  const renewed = at(now + status.pace.renewedSeconds * 1000);
  if (remove === "now")
    return [
      `every holder of a certificate by it, wherever a verifier has the new bundle: until it has another certificate; who renews in time has one by ${renewed}`,
      "every verifier that lacks the new root, towards new certificates: Pods get the bundle within 6 minutes, others when they read it again",
      "machines and functions that renew by certificate: until they are invited anew (`signet svid invite`)",
    ];
  return [
    "machines and functions that renew by certificate: from half of their certificate's life on, until they are invited anew (`signet svid invite`)",
    `whoever has not renewed at ${at(removedAt(status, stolen, remove, now))}: until it has another certificate`,
    "nobody else; but until then whoever verifies by the bundle alone takes a forged certificate for a true one (`--remove now` ends that)",
  ];
}

/** A root that stands above another authority stays: then only the end of the stolen key's own certificate ends it. */
function shared({ authorities }: AuthorityStatus, stolen: ShownAuthority): readonly string[] {
  const also = authorities.filter(
    ({ root, id, state }) => root === stolen.root && id !== stolen.id && state !== "revoked",
  );
  return also.length === 0
    ? []
    : [
        `its root stands above authority ${also.map(({ id }) => id).join(", ")} too and stays in the bundle: who verifies by it alone believes the key until ${stolen.notAfter}; to end that sooner, certify the next authority by another root`,
      ];
}
