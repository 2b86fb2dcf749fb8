/** The package as it is published: packed, put where clients look for `@github/copilot`, and started from there. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const NAMES = ["@github/copilot", `@github/copilot-${process.platform}-${process.arch}`];

async function manifestOf(folder: string) {
  return JSON.parse(await readFile(join(PACKAGE, folder, "package.json"), "utf8"));
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rightseat-command-"));
  const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE });
  // What the script that runs before has to say comes first.
  const [{ filename }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[\n")));
  await run("tar", ["-xzf", filename], { cwd: folder });
  const { dependencies, optionalDependencies } = await manifestOf(".");
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@github"), { recursive: true });
  for (const name of NAMES) await cp(join(folder, "package"), join(modules, name), { recursive: true });
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
    await symlink(join(MODULES, name), join(modules, name)).catch(() => undefined);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(join(PACKAGE, "runtime"), { recursive: true, force: true });
});

test("it depends on what the server depends on, and on no package that is not published", async () => {
  const [own, server] = [await manifestOf("."), await manifestOf("../server")];
  expect(own.dependencies).toEqual(server.dependencies);
  expect(own.optionalDependencies).toEqual(server.optionalDependencies);
  expect(own.version).toBe(server.version);
});

test.each([
  ["the package", "@github/copilot", "index.js"],
  ["the package of the platform", NAMES[1] as string, "index.js"],
  ["the older SDKs' way over ./sdk", "@github/copilot/sdk", "../index.js"],
  ["the loader", "@github/copilot/npm-loader.js", "npm-loader.js"],
])("%s is resolved, and starts the runtime", async (_what, specifier, entry) => {
  const program = `
    import { execFileSync } from "node:child_process";
    import { dirname, join } from "node:path";
    import { fileURLToPath } from "node:url";
    const found = fileURLToPath(import.meta.resolve(${JSON.stringify(specifier)}));
    const entry = join(dirname(found), ${JSON.stringify(entry)});
    process.stdout.write(execFileSync(process.execPath, [entry, "--version"], { encoding: "utf8" }));
  `;
  await writeFile(join(folder, "program.mjs"), program);
  const { stdout, stderr } = await run(process.execPath, ["program.mjs"], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
});
