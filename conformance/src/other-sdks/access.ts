import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** A server that lets certain clients in, and what such a client brings. */
export interface Access {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Undefined where everybody is let in. */
  readonly token: string | undefined;
}

export interface Accesses extends AsyncDisposable {
  readonly all: readonly Access[];
}

const ISSUER = "https://issuer.example";
const AUDIENCE = "rightseat";

const newToken = () => randomBytes(24).toString("base64url");

/** Each way in which a server can know its clients, with secrets of its own. */
export async function createAccesses(): Promise<Accesses> {
  const folder = await mkdtemp(join(tmpdir(), "rightseat-accesses-"));
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = join(folder, "keys.json");
  const key = { ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" };
  await writeFile(jwks, JSON.stringify({ keys: [key] }));
  const [shared, principals] = [newToken(), newToken()];
  const sha256 = createHash("sha256").update(principals).digest("hex");
  const auth = {
    principals: [{ name: "acme-api", tenant: "acme", tokens: [{ sha256 }] }],
    jwt: [{ issuer: ISSUER, audience: AUDIENCE, jwks, tenantClaim: "org" }],
  };
  const config = join(folder, "rightseat.json");
  await writeFile(config, JSON.stringify({ auth, providerPrivateHosts: "127.0.0.1" }));
  const jwt = await new SignJWT({ org: "acme" })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject("an-application")
    .setExpirationTime("1h")
    .sign(privateKey);
  const configured = { args: ["--config", config], env: {} };
  return {
    all: [
      { name: "an open server", args: [], env: {}, token: undefined },
      { name: "a shared secret", args: [], env: { COPILOT_CONNECTION_TOKEN: shared }, token: shared },
      { name: "a principal's token", ...configured, token: principals },
      { name: "a JSON Web Token", ...configured, token: jwt },
    ],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
