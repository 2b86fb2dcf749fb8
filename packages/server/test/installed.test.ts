/** What people install: packed, put into an empty folder from the tarball, and used from there. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCertificates } from "@rightseat/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startPackageRegistry } from "./support/package-registry.ts";
import { startServer } from "./support/servers.ts";
import { connectTcp, WireClient } from "./support/wire-client.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PACKAGES = ["rightseat", "@rightseat/sdk", "@rightseat/protocol", "@rightseat/copilot-command"];
const TURNS = 8;
/** Packing, installing and starting take what they take on a busy machine. */
const TIMEOUT_MS = 120_000;

vi.setConfig({ testTimeout: TIMEOUT_MS });

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const environment = () => ({ PATH: process.env.PATH, HOME: at("home"), COPILOT_HOME: at("sessions") });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rightseat-installed-"));
  await using registry = await startPackageRegistry();
  await mkdir(at("home"));
  await mkdir(at("application"));
  const workspaces = ["-w", "rightseat", "-w", "@rightseat/sdk"];
  const options = { env: environment(), cwd: ROOT };
  await run("npm", ["pack", ...workspaces, "--pack-destination", folder], options);
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => at(name));
  expect(tarballs).toHaveLength(2);
  await run("npm", ["install", "--no-audit", "--no-fund", "--registry", registry.url, ...tarballs], {
    ...options,
    cwd: at("application"),
  });
}, TIMEOUT_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The installed command in a process of its own. */
async function startInstalled(flags: string[]) {
  const command = at("application/node_modules/.bin/rightseat");
  const child = spawn(command, ["--headless", "--demo", "--http-port", "0", ...flags], {
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const ports = await new Promise<RegExpExecArray>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      const found = /server listening on port (\d+)[\s\S]*metrics on http:\S+:(\d+)/.exec(output);
      if (found) resolve(found);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    void exited.then(() => reject(new Error(`the server ended: ${output}`)));
  });
  return {
    port: Number(ports[1]),
    httpPort: Number(ports[2]),
    output: () => output,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Turns one after the other, as SDKs write: a frame's head, then its body. How many messages came in all. */
async function converse(port: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean;
  socket.write = ((frame: Uint8Array) => {
    const end = Buffer.from(frame).indexOf("\r\n\r\n") + 4;
    write(frame.subarray(0, end));
    return write(frame.subarray(end));
  }) as typeof socket.write;
  const client = new WireClient(socket);
  await client.request("session.create", { sessionId: "s", model: "demo", streaming: false });
  for (let turn = 0; turn < TURNS; turn += 1)
    expect(await client.ask("s", "What is 6 times 7?")).toContain("42");
  const { length } = client.of("s");
  await client.request("session.destroy", { sessionId: "s" });
  await client.close();
  return length;
}

test("the tarball of every package has a README, its licence, and what its manifest names", async () => {
  const workspaces = PACKAGES.flatMap((name) => ["-w", name]);
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", ...workspaces], {
    cwd: ROOT,
    env: environment(),
  });
  const packed = Object.values(JSON.parse(stdout)) as { name: string; files: { path: string }[] }[];
  const having = packed.map(({ name, files }) => [
    name,
    ["README.md", "LICENSE"].every((wanted) => files.some(({ path }) => path === wanted)),
  ]);
  expect(Object.fromEntries(having)).toEqual(Object.fromEntries(PACKAGES.map((name) => [name, true])));
});

test("no page says that a package can be had from the registry", async () => {
  const pages = ["README.md", "deploy/README.md", "examples/README.md"];
  for (const page of [...pages, ...PACKAGES.map((name) => `packages/${name.split("/").at(-1)}/README.md`)]) {
    const text = await readFile(join(ROOT, page.replace("packages/rightseat/", "packages/server/")), "utf8");
    expect(text, page).not.toMatch(/npx rightseat|npm (?:install|i) (?:-g )?@?rightseat\b/);
  }
});

test("what the image is built with is named by the packages that need it", async () => {
  for (const name of ["protocol", "server"]) {
    const folder = join(ROOT, "packages", name);
    const { dependencies, devDependencies } = JSON.parse(
      await readFile(join(folder, "package.json"), "utf8"),
    );
    const named = new Set(Object.keys({ ...dependencies, ...devDependencies }));
    const scripts = await readdir(join(folder, "scripts"), { recursive: true });
    for (const script of scripts.filter((path) => path.endsWith(".mjs"))) {
      const text = await readFile(join(folder, "scripts", script), "utf8");
      const imported = text.matchAll(/(?:\bfrom |\b(?:import|resolve)\()"((?:@[^/"]+\/)?[a-z][^/":]*)["/]/g);
      expect([...imported].map(([, found]) => found).filter((found) => !named.has(found as string))).toEqual(
        [],
      );
    }
  }
});

test("what is installed needs as many messages a turn as the checkout, and acknowledges them at once", async () => {
  await using server = await startInstalled([]);
  const installed = await converse(server.port);
  const metrics = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
  expect(server.output()).not.toContain("koffi");
  if (process.platform === "linux")
    expect(Number(/^rightseat_quick_acknowledgements (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(0);

  await using checkout = await startServer(at("other-sessions"), { flags: ["--demo"] });
  expect(installed).toBe(await converse(checkout.port));
});

test("it carries the demo, with the official SDK", async () => {
  const application = at("application");
  for (const part of ["demo", "support"])
    await cp(join(ROOT, "examples", part), join(application, "examples", part), { recursive: true });
  await mkdir(join(application, "node_modules/@github"));
  const sdk = "node_modules/@github/copilot-sdk";
  await symlink(join(ROOT, sdk), join(application, sdk));
  const { stdout } = await run(process.execPath, ["demo.mjs"], {
    cwd: join(application, "examples/demo"),
    env: environment(),
  });
  expect(stdout.match(/^ {3}ok: /gm)?.length).toBeGreaterThan(5);
});

test("without its optional package it says so when it starts, and works", async () => {
  const modules = at("application/node_modules");
  await rm(join(modules, "koffi"), { recursive: true });
  await using server = await startInstalled([]);
  if (process.platform === "linux")
    await expect.poll(server.output).toContain("install the server without --omit=optional");
  const client = await connectTcp(server.port);
  await client.request("session.create", { sessionId: "slower", model: "demo" });
  expect(await client.ask("slower", "What is 6 times 7?")).toContain("42");
  await client.close();
});

test("it passes the health check with principals and TLS", async () => {
  const { server: pair } = await createCertificates();
  const token = "a-token-of-the-principal";
  const sha256 = createHash("sha256").update(token).digest("hex");
  const auth = { principals: [{ name: "api", tenant: "t", tokens: [{ sha256 }] }] };
  await writeFile(at("rightseat.json"), JSON.stringify({ auth }));
  await writeFile(at("server.pem"), pair.cert);
  await writeFile(at("server.key"), pair.key);
  const tls = ["--tls-cert", at("server.pem"), "--tls-key", at("server.key")];
  await using server = await startInstalled([...tls, "--config", at("rightseat.json")]);
  const check = (env: Record<string, string>) =>
    run(process.execPath, [join(ROOT, "deploy/healthcheck.mjs"), `localhost:${server.port}`], {
      env: { ...environment(), HEALTHCHECK_TIMEOUT_MS: "12000", ...env },
    });
  expect((await check({})).stdout).toMatch(/^healthy: /);
  expect((await check({ HEALTHCHECK_TOKEN: token })).stdout).toMatch(/^healthy: .* to its token/);
});
