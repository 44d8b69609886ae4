import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import {
  at,
  type Field,
  items,
  newNotes,
  optionalText,
  optionalWhole,
  refuseField,
  requiredText,
  requiredWord,
} from "../foreign/field.ts";
import { PROTOCOLS } from "../sets/port-set.ts";
import type { OnePort } from "../analysis/focus.ts";
import type { PatchOperation } from "./json-patch.ts";

/** Which object an action changes. */
export type Target = { readonly kind: string; readonly namespace?: string; readonly name: string };

/** One action of a step; state carries over from one to the next. */
export type ProbeAction =
  | { readonly kind: "patch"; readonly target: Target; readonly operations: readonly PatchOperation[] }
  | { readonly kind: "delete"; readonly target: Target }
  | {
      readonly kind: "poke";
      readonly from: string;
      readonly to: string;
      readonly port: OnePort;
      readonly expect: boolean;
    };

/** One test: manifests on top of the base, and named steps. */
export type ProbeTest = {
  readonly name: string;
  readonly manifests: readonly string[];
  readonly steps: readonly { readonly name: string; readonly actions: readonly ProbeAction[] }[];
};

/** A file of expectations: the manifests under all tests, and the tests. Paths are relative to the base folder. */
export type Expectations = { readonly baseManifests: readonly string[]; readonly tests: readonly ProbeTest[] };

/** Reads a file of expectations from plain data. */
export function readExpectations(value: unknown): Result<Expectations> {
  const root: Field = { value, path: [], notes: newNotes() };
  const expectations: Expectations = {
    baseManifests: items(at(root, "baseManifests")).map(requiredText),
    tests: items(at(root, "tests")).map((test) => ({
      name: requiredText(at(test, "name")),
      manifests: items(at(test, "manifests")).map(requiredText),
      steps: items(at(test, "steps")).map((step) => ({
        name: requiredText(at(step, "name")),
        actions: items(at(step, "actions")).flatMap(readAction),
      })),
    })),
  };
  const { refused } = root.notes;
  return refused.length > 0 ? refuseAll(refused.map(({ problem }) => problem)) : ok(expectations);
}

function readAction(field: Field): readonly ProbeAction[] {
  const [poke, patch, removal] = [at(field, "poke"), at(field, "patch"), at(field, "delete")];
  if (poke.value !== undefined) return [readPoke(poke)];
  if (patch.value !== undefined)
    return [{ kind: "patch", target: readTarget(patch), operations: items(at(patch, "ops")).flatMap(readOperation) }];
  if (removal.value !== undefined) return [{ kind: "delete", target: readTarget(removal) }];
  refuseField(field, "FIELD_MISSING", "An action is one of poke, patch, delete.");
  return [];
}

function readPoke(field: Field): ProbeAction {
  const end = (side: string): string =>
    `${requiredText(at(field, side, "ns"))}/${requiredText(at(field, side, "pod"))}`;
  const protocol = requiredWord(at(field, "protocol"), PROTOCOLS) ?? "TCP";
  const port = optionalWhole(at(field, "port")) ?? 0;
  return {
    kind: "poke",
    from: end("from"),
    to: end("to"),
    port: { protocol, port },
    expect: at(field, "expect").value === true,
  };
}

function readTarget(field: Field): Target {
  const namespace = optionalText(at(field, "namespace"));
  const target = { kind: requiredText(at(field, "kind")), name: requiredText(at(field, "name")) };
  return namespace === undefined ? target : { ...target, namespace };
}

function readOperation(field: Field): readonly PatchOperation[] {
  const op = requiredWord(at(field, "op"), ["add", "replace", "remove", "move"]);
  const path = requiredText(at(field, "path"));
  if (op === "move") return [{ op, from: requiredText(at(field, "from")), path }];
  if (op === "remove") return [{ op, path }];
  return op === undefined ? [] : [{ op, path, value: at(field, "value").value }];
}
