import type { FlowData } from "../../domain/flow.ts";
import type { DataClause } from "../../domain/sentences.ts";

/** Whether a clause lets this data pass; without a clause all may. What the flow does not tell is not let through. */
export function admitsData(clause: DataClause | undefined, data: FlowData): boolean {
  if (clause === undefined) return true;
  if (clause.protocol !== data.protocol) return false;
  return (
    admits(clause.operations, data.operation, sameWord) &&
    admits(clause.tables, data.table, (one, asked) => one === asked) &&
    admits(clause.paths, data.path, coversPath)
  );
}

const admits = (
  list: readonly string[] | undefined,
  asked: string | undefined,
  fits: (one: string, asked: string) => boolean,
): boolean => list === undefined || (asked !== undefined && list.some((one) => fits(one, asked)));

/** Operations are words of a protocol: SELECT is select, and GET is get. */
const sameWord = (one: string, asked: string): boolean => one.toLowerCase() === asked.toLowerCase();

/** A trailing asterisk means all that begins so. */
const coversPath = (one: string, asked: string): boolean =>
  one.endsWith("*") ? asked.startsWith(one.slice(0, -1)) : one === asked;

/** `postgres select, insert on orders`, `http GET /api/*`. */
export function dataText({ protocol, operations, tables, paths }: DataClause): string {
  return [protocol, operations?.join(", "), tables && `on ${tables.join(", ")}`, paths?.join(", ")]
    .filter((part) => part !== undefined)
    .join(" ");
}
