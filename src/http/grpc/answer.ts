import { constants as http2, type ServerHttp2Stream } from "node:http2";
import type { Problem } from "../../domain/problem.ts";
import { GRPC_UNIMPLEMENTED, grpcStatus } from "../statuses.ts";
import { lengthField, numberField } from "./protobuf.ts";

const HEAD = { ":status": 200, "content-type": "application/grpc" } as const;
/** An octet that says whether it is compressed, and four of its length. */
const PREFIX_BYTES = 5;

/** Whether nobody waits for an answer any more: one that was given up is closed before it is destroyed. */
const isOver = ({ closed, destroyed }: ServerHttp2Stream): boolean => closed || destroyed;

/** Answers with one message. */
export function answerWith(stream: ServerHttp2Stream, message: Buffer): void {
  if (isOver(stream)) return;
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
}

/** Refuses with the first problem: its sentence as the message, its code as the reason of an ErrorInfo. */
export function refuseWith(stream: ServerHttp2Stream, problems: readonly Problem[]): void {
  const [first] = problems;
  if (first) refuse(stream, grpcStatus(first.code), first.message, first.code);
}

/** There is no such method. */
export const refuseMethod = (stream: ServerHttp2Stream, path: string): void =>
  refuse(stream, GRPC_UNIMPLEMENTED, `There is no method ${path.slice(0, 120)}.`);

/** What is no gRPC is told so in HTTP (gRPC over HTTP/2, Requests). */
export function refuseType(stream: ServerHttp2Stream): void {
  if (isOver(stream)) return;
  stream.respond({ ":status": 415 }, { endStream: true });
  takeNoMore(stream);
}

/** The answer is whole, whatever else its caller would send: that is not waited for (RFC 9113 §8.1). */
const takeNoMore = (stream: ServerHttp2Stream): void => stream.close(http2.NGHTTP2_NO_ERROR);

function refuse(stream: ServerHttp2Stream, status: number, message: string, reason?: string): void {
  if (isOver(stream) || stream.headersSent) return;
  const details = reason === undefined ? undefined : statusDetails(status, message, reason);
  stream.respond(
    {
      ...HEAD,
      "grpc-status": String(status),
      "grpc-message": encodeURIComponent(message.toWellFormed()).replaceAll("%20", " "),
      ...(details ? { "grpc-status-details-bin": details } : {}),
    },
    { endStream: true },
  );
  takeNoMore(stream);
}

/** google.rpc.Status with one google.rpc.ErrorInfo (AIP-193), base64. */
function statusDetails(status: number, message: string, reason: string): string {
  const info = Buffer.concat([lengthField(1, reason), lengthField(2, "signet.dev")]);
  const any = Buffer.concat([lengthField(1, "type.googleapis.com/google.rpc.ErrorInfo"), lengthField(2, info)]);
  return Buffer.concat([numberField(1, status), lengthField(2, message), lengthField(3, any)]).toString("base64");
}

/** The one message of a request's body; undefined where it is not exactly one, or compressed. */
export function messageIn(body: Buffer): Buffer | undefined {
  const whole = body.length >= PREFIX_BYTES && body[0] === 0 && body.readUInt32BE(1) === body.length - PREFIX_BYTES;
  return whole ? body.subarray(PREFIX_BYTES) : undefined;
}
