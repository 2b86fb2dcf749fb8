/** Encrypted connections, certificates of clients, and tokens, against a real server. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Certificates, createCertificates } from "@rightseat/testing";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection } from "../src/index.ts";

let certificates: Certificates;
let home: TempHome;
let server: TestServer | undefined;
beforeAll(async () => {
  certificates = await createCertificates();
});
beforeEach(async () => {
  home = await tempHome();
});
afterEach(async () => {
  await server?.shutdown();
  await home[Symbol.asyncDispose]();
});

async function startSecure(flags: readonly string[] = []): Promise<string> {
  const file = async (name: string, text: string) => {
    const path = join(home.path, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const cert = await file("cert.pem", certificates.server.cert);
  const key = await file("key.pem", certificates.server.key);
  const ca = await file("ca.pem", certificates.ca);
  const more = flags.includes("mutual") ? ["--tls-ca", ca] : flags;
  server = await startServer(home.path, { flags: ["--demo", "--tls-cert", cert, "--tls-key", key, ...more] });
  return `localhost:${server.port}`;
}

async function ask(client: CopilotClient): Promise<string | undefined> {
  try {
    await client.start();
    const session = await client.createSession({});
    return (await session.sendAndWait("echo hello"))?.data.content;
  } finally {
    await client.stop();
  }
}

test.each(["tls", "https"])("%s:// is encrypted, by an authority that is named", async (scheme) => {
  const address = await startSecure();
  const connection = RuntimeConnection.forUri(`${scheme}://${address}`, { tls: { ca: certificates.ca } });
  expect(await ask(new CopilotClient({ connection }))).toBe("hello");
});

test("a server of an authority that nobody named is refused", async () => {
  const address = await startSecure();
  const client = new CopilotClient({ cliUrl: `tls://${address}` });
  await expect(ask(client)).rejects.toThrow(/^Failed to connect to CLI server: .*certificate/);
});

test("a server that wants to know its clients is shown a certificate", async () => {
  const address = await startSecure(["mutual"]);
  const { ca, client } = certificates;
  expect(await ask(new CopilotClient({ cliUrl: `tls://${address}`, tls: { ca, ...client } }))).toBe("hello");
  await expect(ask(new CopilotClient({ cliUrl: `tls://${address}`, tls: { ca } }))).rejects.toThrow(
    /^Failed to connect to CLI server/,
  );
});

test("a token is brought, and a wrong one is refused", async () => {
  server = await startServer(home.path, { flags: ["--demo"], env: { COPILOT_CONNECTION_TOKEN: "secret" } });
  const clientWith = (connectionToken?: string) =>
    new CopilotClient({
      connection: RuntimeConnection.forUri(`localhost:${server?.port}`, { connectionToken }),
    });
  expect(await ask(clientWith("secret"))).toBe("hello");
  await expect(ask(clientWith("wrong"))).rejects.toThrow(/AUTHENTICATION_FAILED/);
  await expect(ask(clientWith())).rejects.toThrow(/AUTHENTICATION_FAILED/);
});

const CHECKS: [how: string, check: () => unknown, ends: string | RegExp][] = [
  ["finds nothing wrong", () => undefined, "hello"],
  ["finds something wrong", () => new Error("not that one"), /not that one/],
  [
    "throws",
    () => {
      throw new Error("thrown");
    },
    /thrown/,
  ],
  [
    "rejects",
    () => Promise.reject(new Error("later")),
    /checkServerIdentity: expected undefined or an Error, got object/,
  ],
  [
    "never settles",
    () => new Promise(() => undefined),
    /checkServerIdentity: expected undefined or an Error/,
  ],
  ["gives a text", () => "fine", /checkServerIdentity: expected undefined or an Error, got string/],
];
test.each(CHECKS)(
  "a check of the server's name that %s decides, and ends no process",
  async (_how, check, ends) => {
    const address = await startSecure();
    const tls = { ca: certificates.ca, checkServerIdentity: check as never };
    const asked = ask(new CopilotClient({ cliUrl: `tls://${address}`, tls }));
    if (typeof ends === "string") expect(await asked).toBe(ends);
    else await expect(asked).rejects.toThrow(ends);
  },
);
