/** The health check of `deploy/`, as containers call it: against servers with tokens, TLS and a home that is gone. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCertificates } from "@rightseat/testing";
import { expect, test } from "vitest";
import { startServer, type TempHome, tempHome } from "./support/servers.ts";

const PROGRAM = fileURLToPath(new URL("../../../deploy/healthcheck.mjs", import.meta.url));
const TOKEN = "a-token-of-the-principal";

/** Its exit code and its line. */
function check(target: string | undefined, env: Record<string, string> = {}): Promise<[number, string]> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, ...(target === undefined ? [] : [target])],
      { env: { HEALTHCHECK_TIMEOUT_MS: "12000", ...env } },
      (error, stdout, stderr) => resolve([error ? Number(error.code) : 0, stdout + stderr]),
    );
  });
}

async function withPrincipal(home: TempHome, flags: string[] = []) {
  const config = join(home.work, "rightseat.json");
  const sha256 = createHash("sha256").update(TOKEN).digest("hex");
  const principal = { name: "billing-api", tenant: "billing", tokens: [{ sha256 }] };
  await writeFile(config, JSON.stringify({ auth: { principals: [principal] } }));
  // Homes that cannot be written are the store's on files.
  return startServer(home.path, { flags: ["--config", config, ...flags], storeKind: "files" });
}

async function tlsFlags({ work }: TempHome, { mutual = false } = {}) {
  const made = await createCertificates();
  const write = async (name: string, text: string) => {
    await writeFile(join(work, name), text);
    return join(work, name);
  };
  const files = {
    cert: await write("server.pem", made.server.cert),
    key: await write("server.key", made.server.key),
    ca: await write("ca.pem", made.ca),
    clientCert: await write("client.pem", made.client.cert),
    clientKey: await write("client.key", made.client.key),
  };
  const flags = ["--tls-cert", files.cert, "--tls-key", files.key];
  return { files, flags: mutual ? [...flags, "--tls-ca", files.ca] : flags };
}

test("an open server is well, and a port that nobody listens on is not", async () => {
  await using home = await tempHome();
  await using server = await startServer(home.path);
  expect(await check(`localhost:${server.port}`)).toEqual([0, expect.stringMatching(/^healthy: localhost:/)]);
  await server.shutdown();
  expect(await check(`localhost:${server.port}`)).toEqual([1, expect.stringMatching(/^not healthy: /)]);
});

test("what speaks something else is not well", async () => {
  const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  expect((await check(`127.0.0.1:${port}`))[0]).toBe(1);
  other.close();
});

test("a server with principals is well without a token, and no attempt to connect fails for it", async () => {
  await using home = await tempHome();
  await using server = await withPrincipal(home);
  expect(await check(`localhost:${server.port}`)).toEqual([0, expect.stringMatching(/^healthy: /)]);
  expect(server.log.filter(({ level }) => level === "warning" || level === "error")).toEqual([]);
});

test("a token from a file is presented, and one that is refused is told", async () => {
  await using home = await tempHome();
  await using server = await withPrincipal(home);
  const file = join(home.work, "token");
  await writeFile(file, `${TOKEN}\n`);
  const target = `localhost:${server.port}`;
  expect(await check(target, { HEALTHCHECK_TOKEN_FILE: file })).toEqual([
    0,
    expect.stringContaining("to its token"),
  ]);
  expect(await check(target, { COPILOT_CONNECTION_TOKEN: "another" })).toEqual([
    1,
    expect.stringContaining("the token is refused"),
  ]);
  expect(await check(target, { HEALTHCHECK_TOKEN_FILE: join(home.work, "none") })).toEqual([
    1,
    expect.stringContaining("HEALTHCHECK_TOKEN_FILE: ENOENT"),
  ]);
});

test("TLS with a certificate that nobody knows is noticed by itself, with a token or without", async () => {
  await using home = await tempHome();
  await using server = await withPrincipal(home, (await tlsFlags(home)).flags);
  const target = `localhost:${server.port}`;
  expect(await check(target)).toEqual([0, expect.stringMatching(/^healthy: /)]);
  expect((await check(target, { HEALTHCHECK_TOKEN: TOKEN }))[0]).toBe(0);
  expect((await check(target, { HEALTHCHECK_TOKEN: "another" }))[0]).toBe(1);
  expect((await check(target, { HEALTHCHECK_TOKEN: TOKEN, RIGHTSEAT_TLS_CERT: "any" }))[0]).toBe(0);
});

test("a server that asks for certificates is alive; with one of its authority it is asked more", async () => {
  await using home = await tempHome();
  const { files, flags } = await tlsFlags(home, { mutual: true });
  await using server = await withPrincipal(home, flags);
  const target = `localhost:${server.port}`;
  expect((await check(target))[0]).toBe(0);
  const certificate = {
    HEALTHCHECK_CA: files.ca,
    HEALTHCHECK_CERT: files.clientCert,
    HEALTHCHECK_KEY: files.clientKey,
  };
  expect((await check(target, { ...certificate, HEALTHCHECK_TOKEN: TOKEN }))[0]).toBe(0);
  expect((await check(target, { ...certificate, HEALTHCHECK_TOKEN: "another" }))[0]).toBe(1);
});

test("a server whose home cannot be written is not well, whatever its clients have to bring", async () => {
  await using home = await tempHome();
  await using server = await withPrincipal(home, ["--http-port", "0"]);
  const target = `localhost:${server.port}`;
  const configured = { RIGHTSEAT_HTTP_PORT: String(server.httpPort) };
  expect((await check(target, { COPILOT_HOME: home.path }))[0]).toBe(0);
  expect(await check(undefined, configured)).toEqual([0, expect.stringContaining("/readyz answered")]);

  await rename(home.path, `${home.path}-gone`);
  await writeFile(home.path, "");
  expect(await check(target, { COPILOT_HOME: home.path })).toEqual([
    1,
    expect.stringContaining("sessions cannot be kept: ENOTDIR"),
  ]);
  // What /readyz found is said again for half a second.
  await expect
    .poll(() => check(undefined, configured))
    .toEqual([1, expect.stringMatching(/^not healthy: .*503 .*"store":"/)]);
  await rm(home.path);
  await rename(`${home.path}-gone`, home.path);
});
