/** `rightseat token`: makes a connection token, or hashes one that exists. */
import { readFileSync } from "node:fs";
import { createToken, hashToken } from "./auth/token.ts";

const USAGE = `Usage: rightseat token           Make a token, and print it with its hash
       rightseat token --hash    Read a token from standard input, and print its hash

Clients bring the token; the config file knows it by its hash:
  { "auth": { "principals": [ { "name": "api", "tenant": "acme", "role": "user",
                                "tokens": [ { "sha256": "<hash>", "expires": "2027-01-01" } ] } ] } }
`;

/** @returns the exit code. */
export function tokenCommand(argv: readonly string[]): number {
  const [flag, ...rest] = argv;
  if (rest.length > 0 || (flag !== undefined && flag !== "--hash" && flag !== "--help")) {
    process.stderr.write(`rightseat token: unexpected argument '${rest[0] ?? flag}'\n${USAGE}`);
    return 2;
  }
  if (flag === "--help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (flag === "--hash") {
    // From standard input: arguments can be read by every user of the machine.
    const token = readFileSync(0, "utf8").trim();
    if (token === "") {
      process.stderr.write("rightseat token --hash: expected a token on standard input, got nothing\n");
      return 2;
    }
    process.stdout.write(`${hashToken(token)}\n`);
    return 0;
  }
  const { token, sha256 } = createToken();
  process.stdout.write(`token   ${token}\nsha256  ${sha256}\n`);
  return 0;
}
