/** The package as it is published: packed, installed into an empty folder, and used from there. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startScriptedModelServer } from "@rightseat/testing";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, tempHome } from "../../server/test/support/servers.ts";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const MAX_INSTALLED_BYTES = 939_000;
/** What somebody pays who wants an address and no client. */
const MAX_CONNECTION_BYTES = 2048;

let folder: string;
let tarball: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rightseat-sdk-"));
  const packed = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: PACKAGE,
  });
  tarball = join(folder, JSON.parse(packed.stdout)[0].filename);
  await install(join(folder, "app"), { dependencies: { "@rightseat/sdk": `file:${tarball}` } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Makes a program's folder and installs what it names; the network is not asked for anything. */
async function install(path: string, manifest: object): Promise<void> {
  await mkdir(path, { recursive: true });
  const json = JSON.stringify({ name: "app", private: true, type: "module", ...manifest });
  await writeFile(join(path, "package.json"), json);
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: path });
}

async function filesOf(path: string): Promise<{ name: string; bytes: number }[]> {
  const names = await readdir(path, { recursive: true });
  const files = await Promise.all(names.map(async (name) => ({ name, info: await stat(join(path, name)) })));
  return files.filter(({ info }) => info.isFile()).map(({ name, info }) => ({ name, bytes: info.size }));
}

test("what is installed is small, and nothing but what is used", async () => {
  const files = await filesOf(join(folder, "app", "node_modules"));
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MAX_INSTALLED_BYTES);
  const own = "@rightseat/sdk";
  const foreign = files.filter(({ name }) => !name.startsWith(own) && name !== ".package-lock.json");
  expect(foreign).toEqual([]);
  const kinds =
    /^@rightseat\/sdk\/(package\.json|README\.md|LICENSE|dist\/(cjs\/package\.json|.*\.js|.*\.d\.ts))$/;
  expect(files.filter(({ name }) => name.startsWith(own) && !kinds.test(name))).toEqual([]);
});

/** Programs as they stand in the documentation. */
async function snippets(): Promise<[name: string, text: string][]> {
  const pages = [join(PACKAGE, "README.md"), join(PACKAGE, "../../docs/sdk.md")];
  const found: [string, string][] = [];
  for (const page of pages) {
    const texts = (await readFile(page, "utf8")).matchAll(/^```ts\n(.*?)^```/gms);
    for (const [, text = ""] of texts) found.push([`snippet-${found.length}.ts`, text]);
  }
  return found;
}

test("its types, and the snippets of its documentation, compile with everything strict", async () => {
  const app = join(folder, "app");
  const programs = await snippets();
  expect(programs.length).toBeGreaterThan(4);
  for (const [name, text] of programs) await writeFile(join(app, name), `${text}\nexport {};\n`);
  const require = createRequire(import.meta.url);
  // What a Node program has anyway, and what snippets take from other packages.
  await mkdir(join(app, "node_modules/@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types", "zod"]) {
    const target = fileURLToPath(new URL(`../../../node_modules/${name}`, import.meta.url));
    await symlink(target, join(app, "node_modules", name));
  }
  const options = {
    strict: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
  };
  await writeFile(
    join(app, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, include: ["*.ts"] }),
  );
  const compiled = await run(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", app]).catch(
    ({ stdout }: { stdout: string }) => ({ stdout }),
  );
  expect(compiled.stdout).toBe("");
}, 60_000);

test("who imports an address bundles no client", async () => {
  const bundle = async (contents: string) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: join(folder, "app") },
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "node",
      logLevel: "error",
    });
    return outputFiles[0]?.contents.byteLength;
  };
  const use = (name: string) => `import { ${name} as it } from "@rightseat/sdk"; globalThis.it = it;`;
  expect(await bundle(use("RuntimeConnection"))).toBeLessThan(MAX_CONNECTION_BYTES);
  expect(await bundle(use("approveAll"))).toBeLessThan(MAX_CONNECTION_BYTES);
  expect(await bundle(`import "@rightseat/sdk";`)).toBe(0);
});

test("loading it reads few files, and none of Node's heavier modules", async () => {
  const program = `
    // What it brings along is a matter of the Node release: 24 loads worker_threads for it.
    await import("node:util");
    const before = new Set(process.moduleLoadList);
    await import("@rightseat/sdk");
    console.log(JSON.stringify(process.moduleLoadList.filter((name) => !before.has(name))));`;
  const coverage = join(folder, "coverage");
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
    cwd: join(folder, "app"),
    env: { ...process.env, NODE_OPTIONS: "", NODE_V8_COVERAGE: coverage },
  });
  const heavy = /^NativeModule (tls|http|https|http2|child_process|worker_threads|zlib|dgram|fs\/promises)$/;
  expect(JSON.parse(stdout).filter((name: string) => heavy.test(name))).toEqual([]);
  const [report = ""] = await readdir(coverage);
  const { result } = JSON.parse(await readFile(join(coverage, report), "utf8"));
  const loaded = (result as { url: string }[]).filter(({ url }) => url.includes("@rightseat/sdk"));
  expect(loaded.length).toBeLessThanOrEqual(2);
});

test("a program of CommonJS has the same, from a CommonJS file, with or without exports being followed", async () => {
  const program = `
    const sdk = require("@rightseat/sdk");
    const { main } = require("@rightseat/sdk/package.json");
    const byMain = require("node:path").join(require.resolve("@rightseat/sdk/package.json"), "..", main);
    const isOne = byMain === require.resolve("@rightseat/sdk") && require.cache[byMain].exports === sdk;
    import("@rightseat/sdk").then((module) => {
      console.log(JSON.stringify({ isOne, own: Object.keys(sdk).sort(), theirs: Object.keys(module).sort() }));
    });`;
  const cwd = join(folder, "app");
  const { stdout } = await run(process.execPath, ["--input-type=commonjs", "-e", program], { cwd });
  const { isOne, own, theirs } = JSON.parse(stdout);
  expect(isOne).toBe(true);
  expect(own).toEqual(theirs);
});

test("takes the official SDK's place: by the name of a dependency, and below other packages", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  const server = await startServer(home.path);
  const library = join(folder, "library");
  await mkdir(library);
  await writeFile(
    join(library, "package.json"),
    JSON.stringify({
      name: "library",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      dependencies: { "@github/copilot-sdk": "^1.0.0" },
    }),
  );
  await writeFile(join(library, "index.js"), `export * from "@github/copilot-sdk";`);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: library });
  const packed = join(folder, JSON.parse(stdout)[0].filename);
  const ours = `file:${tarball}`;
  const manifests = [
    { uses: "@github/copilot-sdk", dependencies: { "@github/copilot-sdk": ours } },
    {
      uses: "library",
      dependencies: { library: `file:${packed}` },
      overrides: { "@github/copilot-sdk": ours },
    },
  ];
  for (const [index, { uses, ...manifest }] of manifests.entries()) {
    const app = join(folder, `replaced-${index}`);
    await install(app, manifest);
    const program = `
      const client = new CopilotClient({ connection: RuntimeConnection.forUri("localhost:${server.port}") });
      const provider = { type: "openai", baseUrl: "${model.url}/v1", apiKey: "k" };
      const session = await client.createSession({ model: "scripted", provider });
      const answer = await session.sendAndWait("echo hello");
      console.log(answer.data.content, client.address);
      await client.stop();`;
    const names = "{ CopilotClient, RuntimeConnection }";
    const programs = {
      "program.mjs": `import ${names} from "${uses}";\n${program}`,
      "program.cjs": `const ${names} = require("${uses}");\nvoid (async () => {${program}})();`,
    };
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(app, name), text);
      const said = await run(process.execPath, [name], { cwd: app });
      expect(said.stdout).toBe(`hello localhost:${server.port}\n`);
    }
  }
  await server.shutdown();
}, 60_000);
