import { PROBLEM_CODES, type ProblemCode, type ProblemSort } from "../domain/problem-codes.ts";

/** HTTP's voice: the status of an answer whose body is the problem (RFC 9457). */
const HTTP = {
  refusal: 403,
  finding: 403,
  input: 400,
  oversize: 413,
  absent: 404,
  conflict: 409,
  unauthenticated: 401,
  unready: 503,
  excess: 429,
  fault: 500,
} as const satisfies Record<ProblemSort, number>;

/**
 * Admission's voice: `status.code` of a denial. 403 is a verdict, 400 an object that could not be read, 5xx a fault of ours.
 * The API server makes 400 of everything below 400.
 */
const REVIEW = {
  refusal: 403,
  finding: 403,
  input: 400,
  oversize: 400,
  absent: 403,
  conflict: 403,
  unauthenticated: 403,
  unready: 503,
  excess: 429,
  fault: 500,
} as const satisfies Record<ProblemSort, number>;

/** gRPC's voice: numbers of google.rpc.Code. */
const GRPC = {
  refusal: 7,
  finding: 7,
  input: 3,
  oversize: 8,
  absent: 5,
  conflict: 10,
  unauthenticated: 16,
  unready: 14,
  excess: 8,
  fault: 13,
} as const satisfies Record<ProblemSort, number>;

/** There is no such method. */
export const GRPC_UNIMPLEMENTED = 12;

/** The gRPC status of a code. */
export const grpcStatus = (code: ProblemCode): number => GRPC[PROBLEM_CODES[code].sort];

/** The HTTP status of a code. */
export const httpStatus = (code: ProblemCode): number => HTTP[PROBLEM_CODES[code].sort];

/** The `status.code` of a denial for this code. */
export const reviewStatus = (code: ProblemCode): number => REVIEW[PROBLEM_CODES[code].sort];
