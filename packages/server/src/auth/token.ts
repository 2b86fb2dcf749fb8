/** Connection tokens: made here, kept by clients, known to the server by their hash. */
import { createHash, randomBytes } from "node:crypto";

/** Tells the token from others to people and to scanners for leaked secrets. */
const PREFIX = "rst_";
const SECRET_BYTES = 32;

/** A new token of 256 random bits. Nobody can get it back from its hash. */
export function createToken(): { token: string; sha256: string } {
  const token = `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
  return { token, sha256: hashToken(token) };
}

/**
 * Hexadecimal SHA-256. No slow hash: the tokens are random, and cannot be guessed from a hash; and a
 * look-up by the hash of what a client brings tells nothing, by its timing, of the hashes that are kept.
 */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
