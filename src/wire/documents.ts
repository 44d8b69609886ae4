import {
  type Document as YamlDocument,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
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
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [WORDS_FOR_BOOLEANS, ...tags],
    prettyErrors: false,
    logLevel: "silent",
  });
  const documents: Document[] = [];
  const problems: Problem[] = [];
  for (const one of Array.isArray(parsed) ? parsed : []) {
    const read = readDocument(one, file, lines);
    if (!read.ok) problems.push(...read.problems);
    else if (read.value.value !== null && read.value.value !== undefined) documents.push(read.value);
  }
  return problems.length > 0 ? refuseAll(problems) : ok(documents);
}

function readDocument(parsed: YamlDocument.Parsed, file: string, lines: LineCounter): Result<Document> {
  const error = parsed.errors[0];
  if (error) return syntax(error.message, file, sourceAt(file, lines, error.pos[0]));
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
    return ok({ value, file, locate: (path) => locate(parsed.contents, path, file, lines) });
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return syntax(reason, file, sourceAt(file, lines, parsed.range[0]));
  }
}

const syntax = (reason: string, _file: string, source: Source): Result<never> =>
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

function child(node: unknown, step: string | number): { node: unknown; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && isNamed(item.key, String(step)));
    if (pair && isNode(pair.key)) return { node: pair.value, offset: pair.key.range?.[0] ?? 0 };
  }
  if (isSeq(node) && typeof step === "number") {
    const item = node.items[step];
    if (isNode(item)) return { node: item, offset: item.range?.[0] ?? 0 };
  }
  return undefined;
}

/** Whether a key is called so, by its value or as it is written: the key `on` has the value true. */
const isNamed = (key: unknown, name: string): boolean =>
  isScalar(key) ? String((key as Scalar).value) === name || key.source === name : isAlias(key) && key.source === name;

/** A path as people write it: `spec.allow[0].on[1]`. */
export const pathText = (path: FieldPath): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
