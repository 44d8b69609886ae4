import { ok, type Problem, problem, refuseAll, type Result } from "../../domain/problem.ts";
import { isRaw, type Raw } from "../../wire/read-object.ts";
import { readStrictJson } from "../../wire/strict-json.ts";
import type { SvidWish, TokenWish } from "./services.ts";

type Field = { readonly is: (value: unknown) => boolean; readonly what: string; readonly required?: true };

const TEXT: Field = { is: (value) => typeof value === "string", what: "a text", required: true };
const SECONDS: Field = {
  is: (value) => typeof value === "number" && Number.isSafeInteger(value) && value > 0,
  what: "a whole number of seconds",
};
const AUDIENCE: Field = {
  is: (value) => typeof value === "string" || (Array.isArray(value) && value.every((each) => typeof each === "string")),
  what: "a text, or a list of texts",
  required: true,
};

/** Reads the body of `POST /v1/svids`: `{"csr": PEM, "ttlSeconds": 3600}`. Unknown fields refuse the whole. */
export function readSvidWish(body: string): Result<SvidWish> {
  const read = readFields(body, { csr: TEXT, ttlSeconds: SECONDS });
  return read.ok ? ok({ csr: String(read.value["csr"]), ...seconds(read.value) }) : read;
}

/** Reads the body of `POST /v1/tokens`: `{"audience": "shop", "ttlSeconds": 900}`. */
export function readTokenWish(body: string): Result<TokenWish> {
  const read = readFields(body, { audience: AUDIENCE, ttlSeconds: SECONDS });
  if (!read.ok) return read;
  const { audience } = read.value;
  return ok({ audiences: Array.isArray(audience) ? audience.map(String) : [String(audience)], ...seconds(read.value) });
}

const seconds = ({ ttlSeconds }: Raw): { readonly ttlSeconds?: number } =>
  typeof ttlSeconds === "number" ? { ttlSeconds } : {};

function readFields(body: string, fields: Readonly<Record<string, Field>>): Result<Raw> {
  const json = readStrictJson(body, "The body");
  if (!json.ok) return json;
  const { value } = json;
  if (!isRaw(value)) return refuseAll([problem("FIELD_INVALID", "", "The body is not a JSON object.")]);
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
  const problems = [
    ...unknown.map((name) => problem("FIELD_UNKNOWN", name.slice(0, 80), `There is no field "${name.slice(0, 80)}".`)),
    ...Object.entries(fields).flatMap(([name, field]) => wrong(name, value[name], field)),
  ];
  return problems.length > 0 ? refuseAll(problems) : ok(value);
}

function wrong(name: string, value: unknown, { is, what, required }: Field): readonly Problem[] {
  if (value === undefined)
    return required ? [problem("FIELD_MISSING", name, `The field ${name} is missing.`, `It is ${what}.`)] : [];
  return is(value) ? [] : [problem("FIELD_INVALID", name, `The field ${name} is not ${what}.`)];
}
