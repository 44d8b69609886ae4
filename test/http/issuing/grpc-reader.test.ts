import fc from "fast-check";
import { expect, test } from "vitest";
import { readCertificateRequest } from "../../../src/http/grpc/certificate-request.ts";
import { lengthField, numberField } from "../../../src/http/grpc/protobuf.ts";
import { certificateRequest } from "./grpc-call.ts";

test("no octets make the reader of requests throw, and what it takes is what was written", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      readCertificateRequest(Buffer.from(octets));
    }),
    { numRuns: 500 },
  );
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 2 ** 31 }), text, (csr, seconds, identity) => {
      const read = readCertificateRequest(certificateRequest(csr, seconds, identity));
      const well = (each: string) => Buffer.from(each).toString();
      expect(read).toEqual({
        ok: true,
        value: { wish: { csr: well(csr), ttlSeconds: seconds }, identity: well(identity) },
      });
    }),
  );
  const whole = certificateRequest("csr", 300, "spiffe://example.org/ns/web/sa/cart");
  for (let end = 0; end < whole.length; end++) readCertificateRequest(whole.subarray(0, end));
  expect(readCertificateRequest(Buffer.concat([lengthField(1, "a"), numberField(9, 1), lengthField(12, "b")])).ok).toBe(
    true,
  );
});
