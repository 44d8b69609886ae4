import type { Command } from "commander";
import type { Instant } from "../domain/instant.ts";
import type { Approval } from "../domain/definitions.ts";
import { yamlText } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import { approvalText, exceptionView, roleView, segmentView } from "./definition-views.ts";
import type { Io } from "./io.ts";
import { type Loaded, loadCatalogue } from "./load-catalogue.ts";
import { atOption, catalogueOption, outputOption, withExamples } from "./options.ts";
import { table } from "./table.ts";

type Column<View> = { readonly heading: string; readonly cell: (view: View) => string; readonly wide?: true };

/** One command that lists definitions. */
type Listing<View> = {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Whether the list depends on the moment. */
  readonly timed?: true;
  readonly views: (loaded: Loaded, now: Instant) => readonly View[];
  readonly columns: readonly Column<View>[];
};

type Approved = { readonly approval: Approval; readonly source: string };

const LAST: readonly Column<Approved>[] = [
  { heading: "APPROVAL", cell: ({ approval }) => approvalText(approval) },
  { heading: "SOURCE", cell: ({ source }) => source, wide: true },
];

const list = (items: readonly string[] | null, none = "-"): string =>
  items === null || items.length === 0
    ? none
    : items.length > 3
      ? `${items.slice(0, 3).join(",")},… (${items.length})`
      : items.join(",");

const ROLES: Listing<ReturnType<typeof roleView>> = {
  name: "roles",
  summary: "list the roles",
  description: "Lists every WorkloadRole, where it can be held, and by whom.",
  views: ({ catalogue }) => byName(catalogue.definitions.roles).map((role) => roleView(catalogue, role)),
  columns: [
    { heading: "NAME", cell: ({ name }) => name },
    { heading: "SEGMENT", cell: ({ segment }) => segment },
    { heading: "NAMESPACES", cell: ({ namespaces }) => list(namespaces) },
    { heading: "ACCOUNTS", cell: ({ serviceAccounts }) => list(serviceAccounts, "all but default") },
    { heading: "KINDS", cell: ({ kinds }) => kinds.join(",") },
    { heading: "POD LABELS", cell: ({ podLabels }) => podLabels || "-", wide: true },
    { heading: "PERMITS", cell: ({ permits }) => list(permits), wide: true },
    { heading: "DELIVERY", cell: ({ delivery }) => delivery, wide: true },
    ...LAST,
  ],
};

const SEGMENTS: Listing<ReturnType<typeof segmentView>> = {
  name: "segments",
  summary: "list the segments",
  description: "Lists every Segment, its namespaces and roles, and how strongly it is enforced.",
  views: ({ catalogue }) => byName(catalogue.definitions.segments).map((segment) => segmentView(catalogue, segment)),
  columns: [
    { heading: "NAME", cell: ({ name }) => name },
    { heading: "ENVIRONMENT", cell: ({ environment }) => environment ?? "-" },
    { heading: "CLASSIFICATION", cell: ({ classification }) => classification ?? "-" },
    { heading: "MODE", cell: ({ mode }) => mode },
    { heading: "NAMESPACES", cell: ({ namespaces }) => list(namespaces) },
    { heading: "ROLES", cell: ({ roles }) => list(roles) },
    { heading: "ISOLATION", cell: ({ isolation }) => isolation, wide: true },
    { heading: "INTRA", cell: ({ intra }) => intra, wide: true },
    { heading: "OWNER", cell: ({ owner }) => owner ?? "-", wide: true },
    ...LAST,
  ],
};

const EXCEPTIONS: Listing<ReturnType<typeof exceptionView>> = {
  name: "exceptions",
  summary: "list the exceptions and the time they have left",
  description: "Lists every SegmentException: active, expired, not yet begun or unapproved, and the time it has left.",
  timed: true,
  views: ({ catalogue }, now) =>
    [...catalogue.definitions.exceptions]
      .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name))
      .map((exception) => exceptionView(catalogue, exception, now)),
  columns: [
    { heading: "NAMESPACE", cell: ({ namespace }) => namespace },
    { heading: "NAME", cell: ({ name }) => name },
    { heading: "PERMITS", cell: ({ permits }) => permits },
    { heading: "ROLE", cell: ({ role }) => role },
    { heading: "STATE", cell: ({ state }) => state },
    { heading: "LEFT", cell: ({ left }) => left },
    { heading: "TICKET", cell: ({ ticket }) => ticket ?? "-" },
    { heading: "EXPIRES", cell: ({ expires }) => expires, wide: true },
    { heading: "REASON", cell: ({ reason }) => reason, wide: true },
    ...LAST,
  ],
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byName = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] =>
  [...items].sort((a, b) => compare(a.name, b.name));

/** Adds `signet roles`, `signet segments` and `signet exceptions`. */
export function addTableCommands(program: Command, io: Io, outcome: Outcome): void {
  addListing(program, io, outcome, ROLES);
  addListing(program, io, outcome, SEGMENTS);
  addListing(program, io, outcome, EXCEPTIONS);
}

type Options = { readonly catalogue?: string; readonly output: string; readonly at?: Instant };

function addListing<View extends object>(program: Command, io: Io, outcome: Outcome, listing: Listing<View>): void {
  const command = program
    .command(listing.name)
    .summary(listing.summary)
    .description(listing.description)
    .addOption(catalogueOption())
    .addOption(outputOption(["text", "wide", "json", "yaml"]))
    .action((options: Options) => {
      const loaded = loadCatalogue(io, options.catalogue);
      if (!loaded.ok) {
        outcome.code = badInput(io, loaded.problems);
        return;
      }
      io.out(render(listing, listing.views(loaded.value, options.at ?? io.now()), options.output));
      outcome.code = 0;
    });
  if (listing.timed) command.addOption(atOption());
  withExamples(command, [`${listing.name} --catalogue policy/`, `${listing.name} -c policy/ -o json`]);
}

function render<View extends object>(listing: Listing<View>, views: readonly View[], output: string): string {
  if (output === "json") return `${JSON.stringify(views, null, 2)}\n`;
  if (output === "yaml") return yamlText(views);
  if (views.length === 0) return `There are no ${listing.name}.\n`;
  const columns = listing.columns.filter(({ wide }) => output === "wide" || !wide);
  return table([columns.map(({ heading }) => heading), ...views.map((view) => columns.map(({ cell }) => cell(view)))]);
}
