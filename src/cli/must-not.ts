import { ok, problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { GrantedSentence } from "../domain/sentences.ts";
import { endsOf } from "../wire/definitions/sentences.ts";
import { readDocuments } from "../wire/documents.ts";
import { denial } from "../wire/kinds/sentence.ts";
import { readBySchema } from "../wire/read-by-schema.ts";

const FORM = /^\s*(\S+)\s*->\s*(\S+)(?:\s+on\s+(.+?))?\s*$/;
const MEND =
  "Write it as 'role:web -> role:orders-db on tcp/5432'; peers are role:, segment:, environment:, classification:, namespace:, cidr:, fqdn:, outside or any.";

/** Reads `role:web -> role:orders-db on tcp/5432, udp/53`; without ports all of them are meant. */
export function parseMustNot(text: string): Result<GrantedSentence> {
  const raw = rawSentence(text);
  if (!raw) return refuse("USAGE", "--must-not", `"${text}" says nobody and nothing.`, MEND);
  const [document] = documentsOf(raw);
  if (!document) throw new Error("a document of plain values could not be read");
  const place = { document, base: [] };
  const read = readBySchema(denial, raw, place, []);
  const ends = read.ok ? endsOf(read.value, place, []) : read;
  if (ends.ok) return ok(ends.value);
  return refuseAll(ends.problems.map((found) => problem(found.code, `--must-not "${text}"`, found.message, MEND)));
}

/** The same text as an object writes it, not yet checked; undefined where it is no sentence. */
export function rawSentence(text: string): object | undefined {
  const [, from = "", to = "", on] = FORM.exec(text) ?? [];
  if (from === "") return undefined;
  return { from: rawPeer(from), to: rawPeer(to), ...(on === undefined ? {} : { on: on.split(/\s*,\s*/) }) };
}

const documentsOf = (raw: unknown) => {
  const read = readDocuments(JSON.stringify(raw), "--must-not");
  return read.ok ? read.value : [];
};

/** `role:web` as an object writes it; a word alone is an entity. */
function rawPeer(text: string): object {
  const colon = text.indexOf(":");
  if (colon < 0) return { entity: text };
  const [by, name] = [text.slice(0, colon), text.slice(colon + 1)];
  return by === "namespace" ? { namespace: { name } } : { [by]: name };
}
