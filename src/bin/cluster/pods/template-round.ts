import { judge } from "../../../admission/judge.ts";
import type { Catalogue } from "../../../domain/catalogue.ts";
import type { LiveCatalogue } from "../../../kube/catalogue.ts";
import { liveObject } from "../../../kube/live-object.ts";
import { LiveTemplates, type TemplateMeans } from "../../../kube/live-templates.ts";
import { asCreated } from "../../../reconcile/pods/created-by.ts";
import { scanTemplate } from "../../../reconcile/scan/scan-template.ts";
import type { Scan } from "../../../reconcile/scan/scan.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { readWorkload } from "../../../wire/workloads.ts";

/** What following templates needs. */
type Following = TemplateMeans & Omit<TemplateRoundMeans, "templates">;

/** Follows templates until `stop` is called; `tend` is one round. */
export function followTemplates(means: Following): {
  readonly tend: () => Promise<void>;
  readonly stop: () => Promise<void>;
} {
  const templates = new LiveTemplates(means);
  templates.start();
  return { tend: makeTemplateRound({ ...means, templates }), stop: () => templates.stop() };
}

/** What looking at templates needs. */
type TemplateRoundMeans = {
  readonly live: () => Pick<LiveCatalogue, "current">;
  readonly templates: Pick<LiveTemplates, "uids" | "find" | "takeChanged">;
  readonly scan: Scan;
  readonly now: () => number;
  readonly requireApproval: boolean;
};

/** So many templates are judged at once; in between reviews get their turn. */
const SLICE = 200;
/** Every template is looked at again this often, for what ends by time alone. */
const FULL_LOOK_MS = 30_000;

/**
 * Gives what judges templates and machines as admission would now, what changed at once and all when the catalogue did, and
 * takes that into the scan. Nothing is written on them.
 */
export function makeTemplateRound(means: TemplateRoundMeans): () => Promise<void> {
  let looked: { readonly revision: string; readonly at: number } | undefined;
  return async () => {
    const catalogue = means.live().current();
    if (!catalogue) return;
    const changed = means.templates.takeChanged();
    const wholly = looked?.revision !== catalogue.revision || means.now() >= looked.at + FULL_LOOK_MS;
    if (wholly) looked = { revision: catalogue.revision, at: means.now() };
    const uids = [...new Set([...changed, ...(wholly ? means.templates.uids() : [])])];
    for (let first = 0; first < uids.length; first += SLICE) {
      for (const uid of uids.slice(first, first + SLICE)) look(means, catalogue, uid);
      await breath();
    }
  };
}

function look({ templates, scan, now, requireApproval }: TemplateRoundMeans, catalogue: Catalogue, uid: string): void {
  const raw = templates.find(uid);
  const read = raw && !isGoing(raw) ? readWorkload(liveObject(raw), { namespace: namespaceOf(raw) }) : undefined;
  const workload = read?.ok ? read.value : undefined;
  // What a controller made is judged in the object that it made it of.
  if (!workload || workload.owner) return scan.forget(uid);
  const { object } = workload;
  const judgement = judge(catalogue, asCreated(catalogue, workload), { now: now(), requireApproval });
  scanTemplate(scan, { object: { ...object, uid }, judgement });
}

const isGoing = (raw: Raw): boolean => textAt(rawAt(raw, "metadata"), "deletionTimestamp") !== undefined;

const namespaceOf = (raw: Raw): string => textAt(rawAt(raw, "metadata"), "namespace") ?? "";

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
