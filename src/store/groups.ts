import type { Entry } from "./chain.ts";

/**
 * Entries of one kind that came one after the other and that nobody waits for are one record, so that a hash and a row are
 * paid for many: its kind is the plural of theirs, its body a line of JSON for each.
 */
const groupKind = (kind: string): string => `${kind}s`;

/** The kinds of the records that may hold entries of a kind. */
export const recordKinds = (kind: string): readonly string[] => [kind, groupKind(kind)];

/** A group without lines. */
export const emptyGroup = ({ kind, at }: Entry): Entry => ({ kind: groupKind(kind), subject: "", at, body: "" });

const BODY = ',"body":';

/** An entry as a line of a group. Its body has no line ends, as JSON.stringify makes none. */
export const groupLine = ({ subject, at, body }: Entry): string =>
  `{"at":${at},"subject":${JSON.stringify(subject)}${BODY}${body}}\n`;

/** The entries of a record in their order, each in the record's place: those of a group, or the record itself. */
export function entriesOf<T extends Entry>(record: T): readonly T[] {
  if (!isGroup(record)) return [record];
  const kind = record.kind.slice(0, -1);
  return record.body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ ...record, kind, ...readLine(line) }));
}

/** A group is about nothing by itself, and no other record of a plural kind is. */
const isGroup = ({ kind, subject }: Entry): boolean => subject === "" && kind.endsWith("s");

/** No text before the body can hold what stands before it: a quotation mark within a text has a backslash. */
function readLine(line: string): Pick<Entry, "subject" | "at" | "body"> {
  const end = line.indexOf(BODY);
  const head = JSON.parse(`${line.slice(0, end)}}`) as Pick<Entry, "subject" | "at">;
  return { subject: head.subject, at: head.at, body: line.slice(end + BODY.length, -1) };
}
