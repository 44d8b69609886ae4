import { type Reviewed, review } from "../admission/review.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import type { SignedGrants } from "../domain/grants.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import { metadataPresence } from "../wire/presence.ts";
import { readWorkload } from "../wire/workloads.ts";
import { granted } from "./grants.ts";
import type { Io } from "./io.ts";
import { loadCatalogue } from "./load-catalogue.ts";
import { withNamespaces } from "./with-namespaces.ts";

/** What a review goes by, whoever asks for it. */
export type ReviewTerms = {
  readonly catalogue?: string;
  readonly requireApproval?: boolean;
  readonly namespace?: string;
  readonly as?: string;
  readonly at?: Instant;
};

/** Objects to judge, and the catalogue to judge them by. */
export type ReviewInput = {
  readonly catalogue: Catalogue;
  /** The reviewed objects. */
  readonly objects: readonly KubeObject[];
  /** The objects that the catalogue was read from. */
  readonly definitions: readonly KubeObject[];
};

/** A reviewed workload, and the object it was read from. */
export type ReviewedObject = Reviewed & { readonly object: KubeObject };

/** Reads the catalogue and the objects of the paths. */
export function readReviewInput(
  io: Io,
  paths: readonly string[],
  terms: ReviewTerms,
  grants: SignedGrants = { exceptions: [], only: false },
): Result<ReviewInput> {
  const loaded = loadCatalogue(io, terms.catalogue);
  const files = io.readInputs(paths);
  if (!loaded.ok || !files.ok) return refuseAll([loaded, files].flatMap((each) => (each.ok ? [] : each.problems)));
  const objects = readObjects(files.value);
  if (!objects.ok) return objects;
  const trusted = granted(loaded.value.catalogue, grants);
  const approved = terms.requireApproval === true || grants.only || grants.exceptions.length > 0;
  const catalogue = withNamespaces(trusted, objects.value.objects, approved);
  if (!catalogue.ok) return catalogue;
  return ok({ catalogue: catalogue.value, objects: objects.value.objects, definitions: loaded.value.objects });
}

/** Judges every workload of the input, in the order in which they stand there. */
export function judgeAll(io: Io, input: ReviewInput, terms: ReviewTerms): Result<readonly ReviewedObject[]> {
  const problems: Problem[] = [];
  const reviewed: ReviewedObject[] = [];
  const when = { now: terms.at ?? io.now(), requireApproval: terms.requireApproval === true, creating: true };
  for (const object of input.objects) {
    const around = { namespace: object.namespace || terms.namespace || "default" };
    const workload = readWorkload(object, terms.as === undefined ? around : { ...around, creator: terms.as });
    if (!workload.ok) problems.push(...workload.problems);
    else if (workload.value)
      reviewed.push({ ...review(input.catalogue, workload.value, metadataPresence(object.raw), when), object });
  }
  if (problems.length > 0) return refuseAll(problems);
  if (reviewed.length > 0) return ok(reviewed);
  return refuse(
    "INPUT_EMPTY",
    "",
    "The input holds no workload.",
    "Name files with Pods, Deployments, VMs or other workloads.",
  );
}
