import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { startWorld } from "../src/world.ts";

const issuer = "https://issuer.example";
const audience = "rightseat";
const secret = randomBytes(24).toString("base64url");
let folder: string;
let args: string[];
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rightseat-access-"));
  const pair = await generateKeyPair("ES256", { extractable: true });
  privateKey = pair.privateKey;
  const jwks = join(folder, "keys.json");
  await writeFile(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k", alg: "ES256" }] }),
  );
  const sha256 = createHash("sha256").update(secret).digest("hex");
  const auth = {
    principals: [{ name: "acme-api", tenant: "acme", tokens: [{ sha256 }] }],
    jwt: [{ issuer, audience, jwks, tenantClaim: "org" }],
  };
  const config = join(folder, "rightseat.json");
  await writeFile(config, JSON.stringify({ auth, providerPrivateHosts: "127.0.0.1" }));
  args = ["--config", config];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const tokenOf = (org: string, expires = "5m") =>
  new SignJWT({ org })
    .setProtectedHeader({ alg: "ES256", kid: "k" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(expires)
    .sign(privateKey);

describe(`SDK ${newestSdk.version} at a server that knows its clients`, () => {
  test("without a token, with a wrong and with an expired one it is refused alike", async () => {
    await using world = await startWorld({ args });
    for (const token of [undefined, "a-guess", await tokenOf("acme", "2m ago")])
      await expect(world.connect(newestSdk, token)).rejects.toThrow("AUTHENTICATION_FAILED");
  });

  test("a principal's token and a JSON Web Token of the same tenant see the same sessions; another tenant sees none", async () => {
    await using world = await startWorld({ args });
    const byToken = await world.connect(newestSdk, secret);
    const byJwt = await world.connect(newestSdk, await tokenOf("acme"));
    const stranger = await world.connect(newestSdk, await tokenOf("globex"));
    const seen = new SeenEvents();
    const session = await byToken.createSession(world.session(seen));
    const answer = await session.sendAndWait({ prompt: "echo of acme alone" });
    expect(answer?.data.content).toBe("of acme alone");
    expect((await byJwt.listSessions()).map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
    expect(await stranger.listSessions()).toEqual([]);
    await expect(stranger.resumeSession(session.sessionId, world.session(new SeenEvents()))).rejects.toThrow(
      "Session not found",
    );
    const mine = await stranger.createSession(
      world.session(new SeenEvents(), { sessionId: session.sessionId }),
    );
    expect((await mine.getEvents()).map(({ type }) => type)).not.toContain("user.message");
    const theirs = await byJwt.resumeSession(session.sessionId, world.session(new SeenEvents()));
    expect(JSON.stringify(await theirs.getEvents())).toContain("of acme alone");
  });
});
