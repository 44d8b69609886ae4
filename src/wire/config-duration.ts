import { parseDuration } from "../domain/duration.ts";

/** A duration of the configuration in milliseconds, undefined where none is given; its form was checked before. */
export const millisIfGiven = (given: string | undefined): number | undefined => {
  const seconds = given === undefined ? undefined : parseDuration(given, "");
  return seconds?.ok ? seconds.value * 1000 : undefined;
};

/** The same, or what holds where none is given. */
export const millis = (given: string | undefined, otherwise: number): number => millisIfGiven(given) ?? otherwise;
