import {
  type Document as YamlDocument,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { ok, type Problem, refuseAll, type Result, type Source } from "../domain/problem.ts";

/** A place inside a document: keys and indexes from the top. */
export type FieldPath = readonly (string | number)[];

/** One object of a YAML or JSON text: its plain value, and where each of its fields stands. */
export type Document = {
  readonly value: unknown;
  readonly file: string;
  /** Source of the field, or of the nearest field around it that is there. */
  readonly locate: (path: FieldPath) => Source;
};

/** Most anchors that may be resolved in a document; more is a bomb, not a manifest. */
const MAX_ALIASES = 100;

/** kubectl reads YAML 1.1's words for booleans, so a manifest means here what it means there. */
const WORDS_FOR_BOOLEANS = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (text: string): boolean => /^[yY]|^[oO][nN]$/.test(text),
} as const;

/**
 * Reads a text of YAML documents or one JSON value. Empty documents are left out. A syntax error, a duplicate key or an
 * alias bomb anywhere refuses the whole text, with file, line and column.
 */
export function readDocuments(text: string, file: string): Result<readonly Document[]> {
  const read = readEach(text, file);
  const problems = read.flatMap(problemsOf);
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap(documentOf));
}

/** The documents before the first broken one, and what is wrong with that; for folders that others wrote. */
export function readUntilBroken(
  text: string,
  file: string,
): { readonly documents: readonly Document[]; readonly problems: readonly Problem[] } {
  const read = readEach(text, file);
  const broken = read.findIndex((one) => !one.ok);
  const good = broken < 0 ? read : read.slice(0, broken);
  return {
    documents: good.flatMap(documentOf),
    problems: read.slice(good.length, good.length + 1).flatMap(problemsOf),
  };
}

function readEach(text: string, file: string): readonly Result<Document>[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [WORDS_FOR_BOOLEANS, ...tags],
    prettyErrors: false,
    logLevel: "silent",
  });
  return (Array.isArray(parsed) ? parsed : []).map((one) => readDocument(one, file, lines));
}

const problemsOf = (read: Result<Document>): readonly Problem[] => (read.ok ? [] : read.problems);

/** The document, unless it is empty. */
const documentOf = (read: Result<Document>): readonly Document[] =>
  read.ok && read.value.value !== null && read.value.value !== undefined ? [read.value] : [];

function readDocument(parsed: YamlDocument.Parsed, file: string, lines: LineCounter): Result<Document> {
  const error = parsed.errors[0];
  if (error) return syntax(error.message, sourceAt(file, lines, error.pos[0]));
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
    return ok({ value, file, locate: (path) => locate(parsed.contents, path, file, lines) });
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return syntax(reason, sourceAt(file, lines, parsed.range[0]));
  }
}

const syntax = (reason: string, source: Source): Result<never> =>
  refuseAll([
    {
      code: "YAML_SYNTAX",
      path: "",
      message: `This is not YAML: ${firstSentence(reason)}`,
      mend: "Mend the text at the line and column named; `yamllint` shows the same place.",
      source,
    },
  ]);

const firstSentence = (text: string): string => {
  const line = (text.split("\n", 1)[0] ?? "").trim();
  return line.endsWith(".") ? line : `${line}.`;
};

const sourceAt = (file: string, lines: LineCounter, offset: number): Source => {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
};

function locate(root: ParsedNode | null, path: FieldPath, file: string, lines: LineCounter): Source {
  let node: unknown = root;
  let offset = root?.range[0] ?? 0;
  for (const step of path) {
    const next = child(node, step);
    if (!next) break;
    offset = next.offset;
    node = next.node;
  }
  return sourceAt(file, lines, offset);
}

type Child = { readonly node: unknown; readonly offset: number };

const child = (node: unknown, step: string | number): Child | undefined =>
  isMap(node) ? field(node, String(step)) : isSeq(node) ? item(node, step) : undefined;

/** A key is found by its value or as it is written: the bare key `on` has the value true. */
function field(map: YAMLMap, key: string): Child | undefined {
  const pair = map.items.find(
    (each) => isScalar(each.key) && (String(each.key.value) === key || each.key.source === key),
  );
  return pair && isNode(pair.key) ? { node: pair.value, offset: pair.key.range?.[0] ?? 0 } : undefined;
}

function item(list: YAMLSeq, index: string | number): Child | undefined {
  const node = list.items[Number(index)];
  return isNode(node) ? { node, offset: node.range?.[0] ?? 0 } : undefined;
}

/** A path as people write it: `spec.allow[0].on[1]`. */
export const pathText = (path: FieldPath): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
