import { type ClientHttp2Session, connect, constants } from "node:http2";
import { lengthField, numberField, readFields } from "../../../src/http/grpc/protobuf.ts";

/** How a call is made. */
export type GrpcAsking = {
  readonly token?: string;
  readonly authorization?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly body?: Buffer;
  readonly path?: string;
  readonly type?: string;
};

/** What came of it: the status, the sentence, the reason in an ErrorInfo, and the certificates. */
export type GrpcAnswered = {
  readonly http: number;
  readonly status: number;
  readonly message: string;
  readonly reason: string;
  readonly certificates: readonly string[];
};

export const CREATE = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** A message of a body. */
export function framed(message: Buffer, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** An IstioCertificateRequest as ztunnel writes it. */
export const certificateRequest = (csr: string, seconds?: number, identity?: string): Buffer =>
  Buffer.concat([
    lengthField(1, csr),
    ...(seconds === undefined ? [] : [numberField(3, seconds)]),
    ...(identity === undefined ? [] : [lengthField(4, entry("ImpersonatedIdentity", identity))]),
  ]);

const entry = (key: string, value: string): Buffer =>
  lengthField(1, Buffer.concat([lengthField(1, key), lengthField(2, lengthField(3, value))]));

/** Makes one call over a connection of its own. */
export function call(port: number, asking: GrpcAsking): Promise<GrpcAnswered> {
  const { cert, key } = asking;
  const session = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  return callOver(session, asking).finally(() => session.destroy());
}

/** Makes one call over a connection that is there. */
export const callOver = (session: ClientHttp2Session, asking: GrpcAsking): Promise<GrpcAnswered> =>
  new Promise<GrpcAnswered>((resolve, reject) => {
    session.on("error", reject);
    ask(session, asking, resolve, reject);
  });

function ask(
  session: ClientHttp2Session,
  { token, authorization, body = Buffer.of(), path = CREATE, type = "application/grpc" }: GrpcAsking,
  resolve: (answer: GrpcAnswered) => void,
  reject: (fault: Error) => void,
): void {
  const auth = authorization ?? (token === undefined ? undefined : `Bearer ${token}`);
  const stream = session.request({
    ":method": constants.HTTP2_METHOD_POST,
    ":path": path,
    "content-type": type,
    te: "trailers",
    ...(auth === undefined ? {} : { authorization: auth }),
  });
  const said: Record<string, string> = {};
  const take = (headers: object): void => void Object.assign(said, headers);
  const chunks: Buffer[] = [];
  stream.on("response", take).on("trailers", take);
  stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
  stream.on("error", reject);
  stream.on("end", () => resolve(answered(said, Buffer.concat(chunks))));
  stream.end(body);
}

function answered(said: Readonly<Record<string, string>>, body: Buffer): GrpcAnswered {
  const details = said["grpc-status-details-bin"];
  return {
    http: Number(said[":status"]),
    status: Number(said["grpc-status"] ?? -1),
    message: decodeURIComponent(said["grpc-message"] ?? ""),
    reason: details === undefined ? "" : reasonIn(Buffer.from(details, "base64")),
    certificates: body.length > 5 ? textsIn(body.subarray(5)) : [],
  };
}

const textsIn = (message: Buffer): readonly string[] => readFields(message).map(({ value }) => String(value));

/** Status → details → value of the Any → reason of the ErrorInfo. */
function reasonIn(status: Buffer): string {
  const at = (message: Buffer, number: number): Buffer => {
    const found = readFields(message).find((field) => field.number === number)?.value;
    return Buffer.isBuffer(found) ? found : Buffer.of();
  };
  return at(at(at(status, 3), 2), 1).toString();
}
