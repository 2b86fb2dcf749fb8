/**
 * What Node says of a certificate that it does not take. It does not pass by itself, so nothing is tried again; in
 * companies it is most often a proxy that opens what it passes on, and signs it anew with an authority of its own.
 */
const CODES: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What to do about it; undefined when the code is none of a certificate. */
export function certificateAdvice(code: string | undefined): string | undefined {
  if (code === undefined || !CODES.has(code)) return undefined;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH")
    return "Its certificate is for another name: check the address.";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return "Its certificate is not valid at this time: renew it, and check this machine's clock.";
  return "The authority that signed its certificate is not known here, as with proxies that inspect TLS: start the server with NODE_EXTRA_CA_CERTS=<file>, the authority's certificate in PEM.";
}
