import { expect, test } from "vitest";
import { toConnectionError } from "./errors.ts";

const errorOf = (code: string) =>
  toConnectionError(
    Object.assign(new Error("no"), { code }),
    { provider: "openai", url: "https://a.example/v1" },
    (text) => text,
  );

test.each([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
])("%s is not tried again, and names the variable for the authority", (code) =>
  expect(errorOf(code)).toMatchObject({
    kind: "invalid-request",
    message: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
  }),
);

test("a certificate for another name, or out of its time, says that", () => {
  expect(errorOf("ERR_TLS_CERT_ALTNAME_INVALID").message).toContain("for another name");
  expect(errorOf("CERT_HAS_EXPIRED").message).toContain("not valid at this time");
});
