import type { Problem } from "../../domain/problem.ts";
import { type Opened, placed } from "./object.ts";

/** What reading a folder brought to light: what refuses it, and what the user should know. */
export type Sheet = { readonly refused: Problem[]; readonly warned: Problem[] };

/** A fresh sheet for one folder. */
export const newSheet = (): Sheet => ({ refused: [], warned: [] });

/** Reads each object; one that can't be read refuses the whole folder, as any answer without it would be wrong. */
export function readStrictly<T>(
  sheet: Sheet,
  objects: readonly Opened[],
  read: (opened: Opened) => T | undefined,
): T[] {
  return objects.flatMap((opened) => {
    const value = read(opened);
    sheet.refused.push(...placed(opened, opened.notes.refused));
    sheet.warned.push(...placed(opened, opened.notes.warned));
    return value === undefined ? [] : [value];
  });
}

/** Reads each object; one that can't be read is left out with a warning. */
export function readLeniently<T>(
  sheet: Sheet,
  objects: readonly Opened[],
  read: (opened: Opened) => T | undefined,
): T[] {
  return objects.flatMap((opened) => {
    const value = read(opened);
    const left = placed(opened, opened.notes.refused).map((found) => ({
      ...found,
      message: `Left out: ${found.message}`,
    }));
    sheet.warned.push(...left, ...placed(opened, opened.notes.warned));
    return value === undefined || left.length > 0 ? [] : [value];
  });
}
